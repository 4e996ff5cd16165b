"""`gridledger campaigns`: what is asked at the doors while a campaign (专项) runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from gridledger.commands.server_data import application, data_option


@click.group()
def campaigns() -> None:
    """专项走访：要问的问题 / Campaigns and their questions.

    \b
    例 / Example:
      gridledger campaigns list
      gridledger campaigns import gas_safety.json
    """


@campaigns.command("list")
@data_option
def list_(data: Path | None) -> None:
    """列出专项和起止日期 / The campaigns that are known.

    \b
    例 / Example:
      gridledger campaigns list
    """
    from server.core.export_columns import SHANGHAI
    from server.operations import campaigns as operations

    def day(ms: int | None) -> str:
        return f"{datetime.fromtimestamp(ms / 1000, SHANGHAI):%Y-%m-%d}" if ms else "—"

    with application(data):
        for one, active in operations.listed():
            ends = one.ends_at - 1 if one.ends_at else None
            off = "" if active else "  已停 / off"
            click.echo(
                f"{one.code}  {one.zh}  {day(one.starts_at)} – {day(ends)}  "
                f"{len(one.questions)} 个问题 / questions{off}"
            )


@campaigns.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@data_option
def import_(file: Path, data: Path | None) -> None:
    """导入一个专项：JSON，同一代码再导入就是修改 / Import a campaign; the same code changes it.

    手机下次同步就会问这些问题。Phones ask the questions after their next sync.

    \b
    例 / Example:
      gridledger campaigns import gas_safety.json
    """
    from server.operations import campaigns as operations

    words = {"created": "新建 / created", "changed": "已改 / changed",
             "unchanged": "没有变化 / unchanged"}  # fmt: skip
    with application(data):
        values = operations.read(file)
        done = operations.save(values)
    click.echo(f"{values['code']}：{words[done]}")
