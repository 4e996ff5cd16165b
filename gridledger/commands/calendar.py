"""`gridledger calendar`: the public holidays by which working time is counted."""

from __future__ import annotations

from pathlib import Path

import click

from gridledger.commands.server_data import application, data_option


@click.group()
def calendar() -> None:
    """工作日历：节假日和调休上班日 / Public holidays and make-up working days.

    \b
    例 / Example:
      gridledger calendar list
      gridledger calendar import 2027.csv
    """


@calendar.command("list")
@data_option
def list_(data: Path | None) -> None:
    """列出各年的安排 / The years that are known.

    \b
    例 / Example:
      gridledger calendar list
    """
    from server.operations import calendars

    with application(data):
        for year, one in calendars.years().items():
            if not one.get("published", True):
                click.echo(f"{year}  还没有公布，只按周末 / not published: weekends alone")
                continue
            off, work = len(one.get("off") or ()), len(one.get("work") or ())
            click.echo(
                f"{year}  放假 {off} 天，周末上班 {work} 天 / {off} days off, {work} made up"
            )


@calendar.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
def import_(file: Path, data: Path | None) -> None:
    """导入一年的安排：CSV，每行 日期,off（放假）或 日期,work（周末上班） / Import years.

    文件里的年份整年换成新的；已经派遣的时限不变。The years in the file are replaced whole;
    deadlines that were given stand.

    \b
    例 / Example:
      gridledger calendar import 2027.csv
    """
    from server.operations import calendars

    with application(data):
        wanted = calendars.read(file)
        changed = calendars.save(wanted)
    click.echo(
        f"{'、'.join(sorted(wanted))}：改变 {changed} 年 / {changed} of {len(wanted)} years changed"
    )
