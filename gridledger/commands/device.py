"""`gridledger device`: the enrolled phones."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from gridledger.commands.server_data import application, data_option, table


@click.group()
def device() -> None:
    """手机：列表、停用 / Phones: list, revoke.

    \b
    例 / Example:
      gridledger device list
    """


@device.command("list")
@data_option
def list_(data: Path | None) -> None:
    """已登记的手机，上次联系，和手机上还没交的内容 / Phones and what still waits on them.

    \b
    例 / Example:
      gridledger device list --data /srv/gridledger
    """
    from server.core.access import Viewer
    from server.core.export_columns import moment
    from server.operations import accounts
    from shared import ids

    with application(data):
        rows = [
            [
                "编号 ID",
                "手机 Phone",
                "使用人 Person",
                "上次联系 Last contact",
                "待传 Waiting",
                "状态",
            ]
        ]
        for one in accounts.devices(Viewer("", "admin", ids.ROOT_AREA)):
            last: datetime.datetime | None = moment(one.device.last_contact_at)
            rows.append(
                [
                    one.device.id,
                    one.device.name,
                    one.owner.username if one.owner else "—",
                    f"{last:%Y-%m-%d %H:%M}" if last else "—",
                    f"{one.transactions} + {one.photos} 照片",
                    "已停用 revoked" if one.device.revoked_at else "在用 active",
                ]
            )
        table(rows)


@device.command()
@click.argument("device_id", metavar="ID")
@data_option
def revoke(device_id: str, data: Path | None) -> None:
    """停用手机：还能交上手里的内容，不再收到数据 / Stop a phone: it may still hand in its work.

    \b
    例 / Example:
      gridledger device revoke 01a20c56-09a5-7aa2-b357-a769b262848e
    """
    from server.operations import accounts

    with application(data):
        found = accounts.revoke_device(device_id)
        click.echo(f"已停用 {found.name} / Revoked")
