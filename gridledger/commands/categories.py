"""`gridledger categories`: the categories of problems, with their limits and evidence."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridledger.commands.server_data import application, data_option

if TYPE_CHECKING:
    from server.operations.categories import Report


@click.group()
def categories() -> None:
    """问题类别：内置、导入、导出 / Categories of problems: shipped set, import, export.

    \b
    例 / Example:
      gridledger categories load
      gridledger categories export 类别.xlsx
      gridledger categories import 类别.xlsx --dry-run
    """


@categories.command()
@data_option
def load(data: Path | None) -> None:
    """装入内置的类别和责任单位；已有的不动 / Load the shipped set; what is there stays.

    \b
    例 / Example:
      gridledger categories load
    """
    from server.operations import categories as use_case

    with application(data, create=True):
        _tell(use_case.load_shipped())


@categories.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def export(file: Path, data: Path | None) -> None:
    """导出为 XLSX，改好可再导入 / Export as XLSX, to be edited and imported.

    \b
    例 / Example:
      gridledger categories export 类别.xlsx
    """
    from server.operations import categories as use_case

    with application(data), file.open("wb") as target:
        count = use_case.export_file(target)
    click.echo(f"{file}：{count} 个类别 / {count} categories")


@categories.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只预览，不写入 / Preview only.")
@data_option
def import_(file: Path, dry_run: bool, data: Path | None) -> None:
    """导入 XLSX：好的行写入，有误的行逐一说明 / Import: good rows go in, bad ones are told.

    时限写成 2 小时、4 工作小时、3 工作日、7 天。同一文件再导一次不会改变什么；表里没有的类别
    保留。有误的行使退出码为 1。

    The same file again changes nothing; categories that are not in it stay. Exit code 1 if some
    rows are bad.

    \b
    例 / Example:
      gridledger categories import 类别.xlsx --dry-run
    """
    from server.operations import categories as use_case

    with application(data):
        report = use_case.import_file(file, dry_run=dry_run)
    if dry_run:
        click.echo("预览，没有写入 / Preview, nothing written")
    _tell(report)
    if report.issues:
        sys.exit(1)


def _tell(report: Report) -> None:
    for issue in report.issues:
        click.echo(f"第 {issue.row} 行 / Row {issue.row}: {issue.zh} / {issue.en}", err=True)
    for code in report.changed:
        click.echo(f"  改 / changed: {code}")
    click.echo(
        f"新建 {len(report.created)}，修改 {len(report.changed)}，未变 {report.unchanged}，"
        f"有误 {len(report.issues)} / {len(report.created)} created, "
        f"{len(report.changed)} changed, {report.unchanged} unchanged, "
        f"{len(report.issues)} bad rows"
    )
