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
      gridledger db reindex
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


@db.command()
@data_option
def reindex(data: Path | None) -> None:
    """重建台账的搜索内容；台账本身不变 / Make the ledger's search data anew.

    服务器可以照常运行；重建完成之前搜索用旧的内容。The server may go on running; until it is done,
    searches are answered from the old data.

    \b
    例 / Example:
      gridledger db reindex
    """
    from gridledger.commands.server_data import Progress, application
    from server.operations.reindex import reindex as rebuild

    with application(data):
        progress = Progress("重建 / Indexing")
        done = rebuild(progress)
        progress.end()
    click.echo(f"已重建 {done} 个问题的搜索内容 / {done} problems indexed")
