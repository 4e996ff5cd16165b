"""`gridledger tick`: what is due by itself, for a cron of a district; `serve` does it embedded."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from gridledger.commands.server_data import application, data_option


@click.command()
@data_option
def tick(data: Path | None) -> None:
    """到点的事：提醒、超期、挂账到期、归档 / Do what is due: reminders, overdue, archiving.

    每分钟运行一次即可；重复运行、几台机器同时运行都安全。用 SQLite 时 serve 自己会做。

    Run it every minute; running it twice, or on several machines at once, is safe. With SQLite
    `serve` does it by itself.

    \b
    例 / Example:
      * * * * *  gridledger tick
    """
    from server.operations import calendars
    from server.operations.tick import tick as run

    with application(data):
        done = run()
        missing = calendars.unknown_years()
    for year in missing:
        click.echo(
            f"没有 {year} 年的节假日安排，工作时限按周末计算 / "
            f"No public holidays are known for {year}; working time leaves out weekends alone",
            err=True,
        )
    if done is None:
        click.echo("另一个正在运行 / Another tick is at work")
        return
    at = datetime.datetime.now().strftime("%H:%M:%S")
    click.echo(
        f"{at} 到点 {done['problems']}，超期 {done['overdue']}，提醒 {done['reminders']}，"
        f"恢复 {done['resumed']}，归档 {done['archived']} / "
        f"{done['problems']} due, {done['overdue']} overdue, {done['reminders']} reminders, "
        f"{done['resumed']} resumed, {done['archived']} archived"
    )
