"""`gridledger import-unsent`: the file of what a phone could not send."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridledger.commands.server_data import application, data_option, table

if TYPE_CHECKING:
    from server.operations.import_unsent import Entry, Report

RESULTS = {
    "applied": "收下 applied",
    "merged": "合并收下 merged",
    "conflict": "有冲突，待裁定 conflict",
    "held": "进隔离区 held",
    "rejected": "没有收下，在隔离区 rejected",
}
TO_COME = "会导入 to be taken in"
PHOTOS = {"verified": "已存好 safe", "refused": "不是照片 refused", "missing": "还没有 missing"}


@click.command("import-unsent")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只看，不写入 / Show what is in it, write nothing.")
@click.option(
    "--as",
    "person",
    metavar="USERNAME",
    help="服务器不认识这部手机时：是谁的 / Whose it is, if the phone is not known here.",
)
@click.option(
    "--drafts",
    type=click.Path(file_okay=False, path_type=Path),
    help="草稿另存到这个文件夹 / Put drafts, which are not taken in, into this folder.",
)
@data_option
def import_unsent(
    file: Path, dry_run: bool, person: str | None, drafts: Path | None, data: Path | None
) -> None:
    """导入手机“导出未发送内容”的文件 / Take in the file of what a phone could not send.

    与手机自己上传走同一条路，每条只收一次：已经到过的照实列出；手机以后自己同步也不会重复。已停用
    的手机，内容进隔离区，由网格长定夺。

    The same road as the phone's own sync, each thing once: what came before is listed as such, and
    nothing doubles when the phone syncs later. From a revoked phone it goes into quarantine.

    \b
    例 / Example:
      gridledger import-unsent 未发送-20261125-1130.zip --dry-run
      gridledger import-unsent 未发送-20261125-1130.zip
    """
    from server.operations import import_unsent as operation

    with application(data):
        report = operation.import_unsent(file, dry_run=dry_run, person=person)
        _tell(report, dry_run)
        if drafts and report.drafts:
            operation.save_drafts(file, drafts)
            click.echo(f"草稿已存到 {drafts} / Drafts are in {drafts}")


def _tell(report: Report, dry_run: bool) -> None:
    from server.core.export_columns import moment

    if dry_run:
        click.echo("只看内容，没有写入 / Nothing was written")
    made = moment(report.made_at)
    click.echo(f"{report.person} · {report.device} · {made:%Y-%m-%d %H:%M}")
    if report.revoked:
        click.echo("手机已停用或不认识，内容进隔离区 / Revoked or unknown: goes into quarantine")
    rows = [["时间 Time", "内容 What", "结果 Result"]]
    for one in report.entries:
        when = moment(one.made_at)
        told = f"{when:%Y-%m-%d %H:%M}" if one.made_at and when else "—"
        rows.append([told, f"{one.title_zh} / {one.title_en}", _result(one)])
    table(rows)
    new = sum(not one.before for one in report.entries)
    states = Counter(report.photos.values())
    words = PHOTOS | ({"missing": TO_COME} if dry_run else {})
    photos = "，".join(f"{words.get(k, k)} {n}" for k, n in sorted(states.items())) or "0"
    click.echo(f"共 {len(report.entries)} 条，新的 {new} 条；照片：{photos}")
    click.echo(f"{len(report.entries)} in all, {new} new; {len(report.photos)} photos")
    if report.drafts:
        count, pictures = len(report.drafts), sum(len(one.photos) for one in report.drafts)
        click.echo(
            f"另有 {count} 份没写完的草稿（照片 {pictures} 张），没有点过保存，所以不导入；"
            "加 --drafts 文件夹 另存下来交给本人"
        )
        click.echo(
            f"{count} drafts were never saved and are not taken in; --drafts FOLDER keeps them"
        )
    if report.gaps:
        click.echo(f"手机上有 {report.gaps} 条已损坏，读不出来 / unreadable on the phone", err=True)


def _result(one: Entry) -> str:
    if one.before:
        return "早已到过 here before"
    if one.result is None:
        return TO_COME
    from shared import protocol

    why = f"：{protocol.title(one.code)}" if one.code else ""
    return f"{RESULTS.get(one.result, one.result)}{why}"
