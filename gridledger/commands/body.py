"""`gridledger body`: the responsible units and their telephone numbers."""

from __future__ import annotations

from pathlib import Path

import click

from gridledger.commands.server_data import application, data_option, table


@click.group()
def body() -> None:
    """责任单位：列表、电话 / Responsible units: list, telephone.

    \b
    例 / Example:
      gridledger body list
      gridledger body phone water 0371-96501
    """


@body.command("list")
@data_option
def list_(data: Path | None) -> None:
    """全部责任单位和电话 / Every unit and its number.

    \b
    例 / Example:
      gridledger body list
    """
    from server.operations import bodies

    with application(data):
        rows = [["代码 Code", "单位 Unit", "电话 Telephone"]]
        table(rows + [[code, name, number or "—"] for code, name, number in bodies.listed()])


@body.command()
@click.argument("code")
@click.argument("number")
@data_option
def phone(code: str, number: str, data: Path | None) -> None:
    """设定责任单位的电话；写 "" 就是去掉 / Set a unit's number; "" takes it away.

    上报紧急问题时，手机请网格员先打这个电话。类别写了“同时拨打”的，以类别的为准。
    Phones ask to call it when an emergency is reported, unless the category names a number.

    \b
    例 / Example:
      gridledger body phone water 0371-96501
      gridledger body phone water ""
    """
    from server.operations import bodies

    with application(data):
        changed = bodies.set_phone(code, number)
    told = "已改 / changed" if changed else "没有变化 / unchanged"
    click.echo(f"{code}：{number.strip() or '—'}  {told}")
