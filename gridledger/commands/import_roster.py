"""`gridledger import-roster`: a household roster as districts keep it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gridledger.commands.server_data import Progress, application, data_option

if TYPE_CHECKING:
    from server.operations.import_roster import RosterReport


@click.command("import-roster")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--area", required=True, help="网格或上级区划的代码 / A grid's code or one above it.")
@click.option("--dry-run", is_flag=True, help="只预览，不写入 / Preview only.")
@data_option
def import_roster(file: Path, area: str, dry_run: bool, data: Path | None) -> None:
    """导入住户名册（XLSX）。好的行写入，有误的行逐一说明 / Import a household roster.

    列按名称识别：姓名（户主、联系人）、电话、小区（楼院）、楼栋、单元、房号、地址、网格、人口、
    重点人群等。有“网格”一列时按它分到各网格，否则 --area 要是一个网格。同一文件再导一次不会改变
    什么；网格员改过的内容不会被覆盖。有误的行使退出码为 1。

    Columns are matched by name; a column 网格 sends rows to their grids, else the area must be a
    grid. Importing the same file again changes nothing. Exit code 1 if some rows are bad.

    \b
    例 / Example:
      gridledger import-roster 名册.xlsx --area 410103007901001 --dry-run
      gridledger import-roster 名册.xlsx --area 410103007901001
    """
    from server.operations import import_roster as imports

    with application(data):
        progress = Progress("导入 / Importing")
        report = imports.import_roster(file, area, dry_run=dry_run, progress=progress)
        progress.end()
    _tell(report, dry_run)
    if report.bad:
        sys.exit(1)


def _tell(report: RosterReport, dry_run: bool) -> None:
    if dry_run:
        click.echo("预览，没有写入 / Preview, nothing written")
        for column in report.columns:
            click.echo(f"  {column.sheet}: {column.heading} -> {column.field}")
        if report.unused:
            click.echo(f"未用的列 / Unused columns: {'、'.join(report.unused)}")
    if report.never_read:
        click.echo(f"不收集，未读取 / Never read: {'、'.join(report.never_read)}")
    if report.skipped_sheets:
        click.echo(f"没有表头，跳过 / No header, skipped: {'、'.join(report.skipped_sheets)}")
    for issue in report.issues:
        mark = "✗" if issue.bad else "!"
        where = f"{mark} {issue.sheet} 第 {issue.row} 行 / row {issue.row}"
        click.echo(f"{where}: {issue.zh} / {issue.en}", err=True)
    click.echo(
        f"{report.rows} 行：新建 {report.created} 户，更新 {report.changed}，"
        f"未变 {report.unchanged}，重复 {report.repeated}，有误 {len(report.bad)}；"
        f"新建楼院 {report.compounds}，冲突待裁定 {report.conflicts}"
    )
    click.echo(
        f"{report.rows} rows: {report.created} households created, {report.changed} changed, "
        f"{report.unchanged} unchanged, {report.repeated} repeated, {len(report.bad)} bad; "
        f"{report.compounds} compounds created, {report.conflicts} conflicts to decide"
    )
