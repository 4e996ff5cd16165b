"""What the server's commands share: where the data is, the application, progress on the screen."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from flask import Flask

    from server.config import Config

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="数据目录（默认 GRIDLEDGER_DATA 或 ./data）/ The data folder.",
)


def configured(data: Path | None) -> Config:
    """The settings of the environment; a wrong one is a usage error."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from server.config import Config

    try:
        config = Config.from_environment(data)
        make_url(config.sqlalchemy_url())
        return config
    except (ValueError, ArgumentError) as error:
        raise click.UsageError(
            f"GRIDLEDGER_* 设置有误 / A GRIDLEDGER_* setting is wrong: {error}"
        ) from error


def made(config: Config) -> Flask:
    """The application on a database that has the newest schema.

    The embedded database is upgraded on the way; another one only by `gridledger db upgrade`.
    """
    from server import create_app

    app = create_app(config)
    with app.app_context():
        if behind():
            if not config.sqlalchemy_url().startswith("sqlite"):
                from server.errors import Trouble

                raise Trouble(
                    "unavailable",
                    "数据库需要升级，请先运行 gridledger db upgrade / "
                    "The database needs an upgrade: run gridledger db upgrade first",
                )
            upgrade()
    return app


def behind() -> bool:
    """Whether the database lacks migrations; for use in an application context."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from server import MIGRATIONS
    from server.storage.database import db

    with db.engine.connect() as connection:
        current = set(MigrationContext.configure(connection).get_current_heads())
    return current != set(ScriptDirectory(str(MIGRATIONS)).get_heads())


def upgrade() -> None:
    """Bring the database to the newest schema; for use in an application context."""
    import flask_migrate

    from server import MIGRATIONS
    from server.storage.database import db

    db.session.remove()
    flask_migrate.upgrade(directory=str(MIGRATIONS))


@contextmanager
def application(data: Path | None, create: bool = False) -> Iterator[Flask]:
    """An application context on the data, for one command.

    Only a command that begins something (``create``) makes a database where there is none: a
    mistyped folder must not look like an empty one.
    """
    from server.storage.database import db

    config = configured(data)
    if not create:
        _check_there(config)
    app = made(config)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def _check_there(config: Config) -> None:
    """Raise Trouble if the embedded database is not where it was said to be."""
    from server.errors import Trouble

    url = config.sqlalchemy_url()
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite") and not path.exists():
        raise Trouble(
            "not_found",
            f"这里没有数据库：{path}。请检查 --data；新建请先运行 gridledger db upgrade / "
            "There is no database here. Check --data; to make one: gridledger db upgrade",
        )


def running_lock(config: Config, exclusive: bool = False) -> IO[str] | None:
    """A lock on the data folder that every running server shares; None if it cannot be had.

    It is given back when the file is closed, or its process ends however it ends.
    """
    import fcntl

    config.data.mkdir(parents=True, exist_ok=True)
    file = (config.data / "serve.lock").open("w")
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def operator_name() -> str:
    """Who runs the command, for the audit log and watermarks."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "?"
    return f"命令行 {name}"


class Progress:
    """A line on stderr that counts up, where somebody is there to see it."""

    def __init__(self, label: str) -> None:
        self.label, self.shown, self.seen = label, sys.stderr.isatty(), False

    def __call__(self, done: int, total: int) -> None:
        if self.shown and (done == total or done % 100 == 0):
            self.seen = True
            click.echo(f"\r{self.label} {done}/{total}", nl=False, err=True)

    def count(self, done: int) -> None:
        """So many, where nobody knows yet of how many."""
        if self.shown:
            self.seen = True
            click.echo(f"\r{self.label} {done}", nl=False, err=True)

    def end(self) -> None:
        """Leave the line, if there is one."""
        if self.seen:
            self.seen = False
            click.echo(err=True)


def table(rows: list[list[Any]], echo: Callable[[str], Any] = click.echo) -> None:
    """Rows in columns; a Chinese character takes two."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = [
            text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)
        ]
        echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    return len(text.encode("gb18030", "replace"))
