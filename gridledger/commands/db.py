"""`gridledger db`: the database's schema."""

from __future__ import annotations

from pathlib import Path

import click

from gridledger.commands.server_data import behind, configured, data_option
from gridledger.commands.server_data import upgrade as bring_up


@click.group()
def db() -> None:
    """数据库 / The database.

    \b
    例 / Example:
      gridledger db upgrade
    """


@db.command()
@data_option
def upgrade(data: Path | None) -> None:
    """升级到最新结构；已是最新则什么也不做 / Bring the schema up to date.

    \b
    例 / Example:
      GRIDLEDGER_DATABASE_URL=postgresql://gridledger@db/gridledger gridledger db upgrade
    """
    from server import create_app

    app = create_app(configured(data))
    with app.app_context():
        if not behind():
            click.echo("已是最新 / Up to date")
            return
        bring_up()
        click.echo("已升级 / Upgraded")
