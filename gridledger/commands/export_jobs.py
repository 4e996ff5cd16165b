"""`gridledger export-jobs`: make the exports that were asked for; `serve` does so by itself."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click

from gridledger.commands.server_data import application, data_option

LOOKS_EVERY = 2.0  # seconds
_log = logging.getLogger(__name__)


@click.command("export-jobs")
@data_option
def export_jobs(data: Path | None) -> None:
    """做完排队的导出，删除过期的文件 / Make the exports that wait, delete expired files.

    `serve` 自己会做；这里是给另外的机器或 cron 用的。`serve` does this by itself.

    \b
    例 / Example:
      gridledger export-jobs --data /srv/gridledger
    """
    from server.operations import export_jobs as jobs

    with application(data):
        done = jobs.run_waiting()
    click.echo(f"完成 {done} 个导出 / {done} exports made")


def beside(app: Any) -> threading.Thread:
    """Look for exports that wait, for as long as this process lives, and have them made.

    A process of its own makes them, so that the pages and the phones do not wait for it.
    """
    thread = threading.Thread(target=_look, args=(app,), name="export-jobs", daemon=True)
    thread.start()
    return thread


def _look(app: Any) -> None:
    pause = threading.Event()
    while not pause.wait(LOOKS_EVERY):
        try:
            if _wanted(app):
                _make(app.config["GRIDLEDGER"].data)
        except Exception:
            _log.exception("exports could not be made; trying again")
            pause.wait(15 * LOOKS_EVERY)


def _wanted(app: Any) -> bool:
    from server.operations import export_jobs as jobs

    with app.app_context():
        return jobs.is_wanted()


def _make(data: Path) -> None:
    command = [sys.executable, "-c", "from gridledger.cli import main; main()", "export-jobs"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    subprocess.run([*command, "--data", str(data)], check=False, **quiet)  # type: ignore[call-overload]
