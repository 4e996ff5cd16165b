"""`gridledger backup`, `restore` and `compact`: keeping the database, and keeping it small."""

from __future__ import annotations

from pathlib import Path

import click

from gridledger.commands.server_data import application, configured, data_option, running_lock


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def backup(target: Path, data: Path | None) -> None:
    """备份数据库到一个新文件，服务器不用停 / Copy the running database to a new file.

    照片另外备份：照片写好后不再改变，用 rsync 之类同步 photos/ 即可。
    Photos apart: they never change once written, so any file copy will do.

    \b
    例 / Example:
      gridledger backup /backup/gridledger-2026-11-24
    """
    from server.operations import backup as use_case

    with application(data):
        size = use_case.backup(target)
    click.echo(f"已备份 {target}，{size / 2**20:.1f} MB / Backed up")


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def restore(source: Path, data: Path | None) -> None:
    """恢复备份；请先停下服务器 / Put a backup in place; stop the server first.

    开始新的纪元：各手机下次同步时重新下载，并把备份之后的内容再传一次。已依法删除的内容会再次删除。
    A new epoch begins: phones download afresh and send again what the backup lacks; what was erased
    is erased again.

    \b
    例 / Example:
      gridledger restore /backup/gridledger-2026-11-24
    """
    from server.operations import backup as use_case
    from server.operations import erase, redact

    held = running_lock(configured(data), exclusive=True)
    if held is None:
        raise click.ClickException("服务器还在运行，请先停下 / Stop the running server first")
    with held, application(data, create=True):
        use_case.restore(source)
    with application(data):  # the restored schema may be older: it is upgraded on the way
        again = erase.replay()
        painted = redact.replay()
    click.echo("已恢复，新的纪元开始；各手机会补传缺少的内容 / Restored; phones will fill the gaps")
    if again:
        click.echo(f"再次删除了 {again} 条依法删除的记录 / Erased again: {again} records")
    if painted:
        click.echo(f"再次遮挡了 {painted} 张照片 / Redacted again: {painted} photos")


@click.command()
@click.option(
    "--days", type=click.IntRange(min=30), default=90, show_default=True,
    help="删除或移走多久以后才遗忘 / How long what was deleted is remembered.",
)  # fmt: skip
@data_option
def compact(days: int, data: Path | None) -> None:
    """清理很久以前删除、移走的痕迹 / Forget what was deleted or moved long ago.

    更久没有联系的手机下次会整份重新下载，手机上没交的内容不受影响。
    A phone that was away for longer downloads afresh; its unsent work is not touched.

    \b
    例 / Example:
      gridledger compact --days 90
    """
    from server.operations import compact as use_case

    with application(data):
        floors = use_case.compact(days * 24 * 3600 * 1000)
    click.echo(f"已清理 {len(floors)} 个分区 / Partitions compacted: {len(floors)}")
