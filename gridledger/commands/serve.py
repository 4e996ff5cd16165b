"""`gridledger serve`: the server under gunicorn, with threads."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import click

from gridledger.commands.export_jobs import beside
from gridledger.commands.server_data import behind, configured, data_option, running_lock, upgrade

PORT = 8000
THREADS = 8
WORKERS = 2  # where the database lets several processes write


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址 / Address.")
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="端口 / Port."
)
@data_option
def serve(host: str, port: int, data: Path | None) -> None:
    """启动服务器；先把数据库升级到最新 / Run the server, after upgrading the database.

    默认用 SQLite 和数据目录里的照片：一个进程，8 个线程，每分钟做一次到点的事。
    设了 GRIDLEDGER_DATABASE_URL 则用 GRIDLEDGER_WORKERS 个进程（默认 2）。
    对外服务请放在 nginx 之后。

    SQLite: one process with 8 threads, which also ticks every minute; another database:
    GRIDLEDGER_WORKERS processes.

    \b
    例 / Example:
      gridledger serve
      gridledger serve --data /srv/gridledger --port 8080
    """
    config = configured(data)
    embedded = config.sqlalchemy_url().startswith("sqlite")
    workers = _workers()
    workers = 1 if embedded else workers
    port = _check_free(host, port)
    held = running_lock(config)
    if held is None:
        raise click.ClickException("正在恢复备份，请稍后再启动 / A restore is under way")
    _prepare(config)
    _run(config, host, port, workers, ticks=embedded and config.tick_seconds > 0)


def _workers() -> int:
    text = os.environ.get("GRIDLEDGER_WORKERS", str(WORKERS))
    if not text.isdigit() or not 1 <= int(text) <= 64:
        raise click.UsageError("GRIDLEDGER_WORKERS 应为 1 至 64 / must be a number from 1 to 64")
    return int(text)


def _check_free(host: str, port: int) -> int:
    """The port, a free one for 0; one clear line if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            cause = error.strerror or error
            raise click.ClickException(
                f"不能监听 {host}:{port} / Cannot listen on {host}:{port}: {cause}"
            ) from error
        return int(probe.getsockname()[1])


def _prepare(config: Any) -> None:
    """Upgrade the database, and let go of it before the processes divide."""
    from server import create_app
    from server.storage.database import db

    app = create_app(config)
    with app.app_context():
        if behind():
            upgrade()
        db.session.remove()
        db.engine.dispose()


def _run(config: Any, host: str, port: int, workers: int, ticks: bool) -> None:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    shown = f"[{host}]" if ":" in host else host

    class Server(BaseApplication):
        """Gunicorn, set up from here instead of from a file."""

        def load_config(self) -> None:
            settings: dict[str, Any] = {
                "bind": f"{shown}:{port}",
                "workers": workers,
                "threads": THREADS,
                "worker_class": "gthread",
                "timeout": 120,
                "graceful_timeout": 30,
                "keepalive": 15,
                "loglevel": "warning",
                "proc_name": "gridledger",
                "control_socket_disable": True,
                "when_ready": _say_ready,
                "post_worker_init": _begin_beside,
            }
            for name, value in settings.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            from server import create_app

            app = create_app(config)
            if ticks:
                from gridledger.commands.ticking import keep_ticking

                keep_ticking(app, config.tick_seconds)
            return app

    def _begin_beside(worker: Any) -> None:
        beside(worker.wsgi)

    def _say_ready(_arbiter: Any) -> None:
        click.echo(f"网格台账 http://{shown}:{port}   Ctrl+C 停止 / to stop")

    Server().run()
