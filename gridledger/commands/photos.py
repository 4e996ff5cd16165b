"""`gridledger photos`: collect bytes that nobody needs, and check those that somebody does."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gridledger.commands.server_data import Progress, application, data_option


@click.group()
def photos() -> None:
    """照片：清理无主的，检查已核实的 / Photos: sweep what nobody needs, check what is verified.

    \b
    例 / Example:
      gridledger photos sweep --dry-run
    """


@photos.command()
@click.option("--dry-run", is_flag=True, help="只看会清理什么 / Only tell what would go.")
@click.option(
    "--days", type=click.IntRange(min=1), default=7, show_default=True,
    help="多久以内的不动 / What is younger is left alone.",
)  # fmt: skip
@click.option("--most", is_flag=True, help="多半都无主也清理 / Even if more than half would go.")
@data_option
def sweep(dry_run: bool, days: int, most: bool, data: Path | None) -> None:
    """清理没有记录用到的照片和过期的上传 / Collect photos of no record and expired uploads.

    已生效、被隔离、删除后还可能恢复的记录用到的照片都保留。每天运行一次即可；服务器不用停，
    重复运行、几台机器同时运行都安全。恢复备份后 30 天内不清理。

    Photos that a record names stay, be it applied, in quarantine or deleted and not yet forgotten.
    Once a day is enough; the server may run. Nothing goes within 30 days of a restore.

    \b
    例 / Example:
      gridledger photos sweep --dry-run
      gridledger photos sweep --days 14
    """
    from server.operations import photo_sweep

    with application(data):
        found = photo_sweep.sweep(days, dry_run, most)
    if found is None:
        click.echo("另一个正在运行 / Another sweep is at work")
        return
    if dry_run:
        click.echo("预览，没有删除 / Preview, nothing removed")
    for zh, en, count, size in (
        ("无主照片", "photos of no record", found.photos, found.photo_bytes),
        ("无主缩略图", "thumbnails of no record", found.thumbnails, found.thumbnail_bytes),
        ("过期上传", "expired uploads", found.uploads, found.upload_bytes),
    ):
        click.echo(f"{zh} {count} 个，{_mb(size)} / {count} {en}, {_mb(size)}")


@photos.command()
@click.option(
    "--repair", is_flag=True,
    help="请还存有原片的手机重传 / Ask phones that still have the original to send it again.",
)  # fmt: skip
@data_option
def check(repair: bool, data: Path | None) -> None:
    """逐张读出已核实的照片，核对哈希 / Read every verified photo and compare its hash.

    缺失或损坏的逐张列出，退出码为 1。What is missing or wrong is listed; exit code 1.

    \b
    例 / Example:
      gridledger photos check
      gridledger photos check --repair
    """
    from server.operations import photo_check

    broken = 0
    with application(data):
        total = photo_check.count()
        progress = Progress("检查 / checking")
        for one in photo_check.check(repair, lambda done: progress(done, total)):
            broken += 1
            zh, en = ("缺失", "missing") if one.what == "missing" else ("内容不符", "wrong bytes")
            click.echo(f"{one.sha256} {zh} / {en}: {' '.join(one.records)}")
        progress.end()
    click.echo(f"检查 {total} 张，有误 {broken} / {total} photos checked, {broken} broken")
    if broken:
        sys.exit(1)


def _mb(size: int) -> str:
    return f"{size / 2**20:.1f} MB"
