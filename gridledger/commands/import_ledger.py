"""`gridledger import-ledger`: a ledger kept in Excel, our own export or a district's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridledger.commands.server_data import Progress, application, data_option

if TYPE_CHECKING:
    from server.operations.import_ledger import LedgerReport


@click.command("import-ledger")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--area", default="0", show_default=True, help="只导入到这个区域 / Into this area.")
@click.option("--dry-run", is_flag=True, help="只预览，不写入 / Preview only.")
@data_option
def import_ledger(file: Path, area: str, dry_run: bool, data: Path | None) -> None:
    """导入问题台账（XLSX）：本系统导出的，或各区自己的 / Import a ledger.

    列按名称识别：台账编号、问题来源、发现时间、所属网格、地址、问题描述、问题类别、责任单位、
    整改时限、完成情况、销号时间等。好的行写入，有误的行说明行号、列和原因。同一文件再导一次不会
    改变什么；脱敏过的内容不会盖掉原来的。有误的行使退出码为 1。

    Columns are matched by name. A row is known by its ledger number, else by its content: the same
    file again changes nothing, and what is masked never replaces what it hides. Exit code 1 if
    some rows are bad.

    \b
    例 / Example:
      gridledger import-ledger 台账.xlsx --dry-run
      gridledger import-ledger 台账.xlsx --area 410103007901
    """
    from server.operations import import_ledger as imports

    with application(data):
        checking, writing = Progress("检查 / Checking"), Progress("导入 / Importing")

        def progress(done: int, total: int) -> None:
            checking.end()
            writing(done, total)

        report = imports.import_ledger(
            file, area, dry_run=dry_run, progress=progress, checked=checking.count
        )
        checking.end()
        writing.end()
    _tell(report, dry_run)
    if report.bad:
        sys.exit(1)


def _tell(report: LedgerReport, dry_run: bool) -> None:
    if dry_run:
        click.echo("预览，没有写入 / Preview, nothing written")
        for heading, ours in report.columns.items():
            click.echo(f"  {heading} -> {ours}")
        if report.unused:
            click.echo(f"未用的列 / Unused columns: {'、'.join(report.unused)}")
    if report.skipped_sheets:
        click.echo(f"没有表头，跳过 / No header, skipped: {'、'.join(report.skipped_sheets)}")
    for issue in report.issues:
        mark = "✗" if issue.bad else "!"
        where = f"{mark} {issue.sheet} 第 {issue.row} 行 {issue.column} / row {issue.row}"
        click.echo(f"{where}: {issue.zh} / {issue.en}", err=True)
    click.echo(
        f"{report.rows} 行：新建 {report.created}，更正 {report.changed}，未变 {report.unchanged}，"
        f"重复 {report.repeated}，有误 {report.bad}；保留了后来改动的 {report.kept}"
    )
    click.echo(
        f"{report.rows} rows: {report.created} created, {report.changed} corrected, "
        f"{report.unchanged} unchanged, {report.repeated} repeated, {report.bad} bad; "
        f"{report.kept} kept as they were changed since"
    )
