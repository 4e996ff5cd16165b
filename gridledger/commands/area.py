"""`gridledger area`: the tree of areas."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gridledger.commands.server_data import Progress, application, data_option


@click.group()
def area() -> None:
    """区划：导入 / Areas: import.

    \b
    例 / Example:
      gridledger area import divisions.csv
    """


@area.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="只检查，不写入 / Check only.")
@data_option
def import_(file: Path, dry_run: bool, data: Path | None) -> None:
    """导入区划表：code,name,parent，代码 2、4、6、9、12 或 15 位 / Import a table of areas.

    重复导入不会改变什么。Running it again changes nothing.

    \b
    例 / Example:
      gridledger area import divisions.csv --dry-run
      gridledger area import divisions.csv
    """
    from server.operations import areas

    with application(data, create=True):
        progress = Progress("导入 / Importing")
        report = areas.import_areas(areas.read_areas(file), dry_run=dry_run, progress=progress)
        progress.end()
    for issue in report.issues:
        click.echo(f"第 {issue.row} 行 / Row {issue.row}: {issue.zh} / {issue.en}", err=True)
    if dry_run:
        click.echo("预检，没有写入 / Checked only, nothing written")
    click.echo(
        f"新建 {report.created}，改名 {report.renamed}，未变 {report.unchanged}，"
        f"有误 {len(report.issues)} / {report.created} created, {report.renamed} renamed, "
        f"{report.unchanged} unchanged, {len(report.issues)} bad rows"
    )
    if report.issues:
        sys.exit(1)
