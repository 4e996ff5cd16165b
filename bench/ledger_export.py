"""100,000 problems of the ledger as XLSX, beside XlsxWriter writing as many constant rows.

The export reads the database, names what is coded, hides what is personal, and writes. The floor
is the same library in the same mode, told the same cells again and again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import xlsxwriter

from bench.memory import held
from bench.problems import fill, people
from bench.result import Result, tell
from bench.server import PostgreSQL, Site, site
from server.core import export_columns

ROWS = 100_000


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Rows per second; the memory is that of the process that exports, above what it held idle."""
    with site(database, postgresql) as found:
        accounts = people(found)
        fill(found, ROWS, accounts["district"])
        floor = ROWS / _constant()
        seconds, idle, peak = _export(found, accounts["district"])
        tell(f"{database}: idle {idle:.0f} MB, at most {peak:.0f} MB while exporting")
        yield Result("ledger_export", database, ROWS / seconds, "rows/s", floor, peak - idle)


def _export(found: Site, user_id: str) -> tuple[float, float, float]:
    """Seconds, MB held before it began, MB at most."""
    env = os.environ | {
        "GRIDLEDGER_DATABASE_URL": found.config.database_url,
        "GRIDLEDGER_SECRET_KEY": "bench",
    }
    command = [sys.executable, "-m", "bench.ledger_export", str(found.config.data), user_id]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    seconds, idle, peak = done.stdout.split()
    return float(seconds), float(idle), float(peak)


def _constant() -> float:
    """Seconds that the floor takes."""
    text = "楼道照明漏水，居民反映路灯下水道堵塞，请尽快处理。"
    at = datetime(2026, 3, 1, 9, 30)
    times = {c.heading for c in export_columns.LEDGER if c.type == export_columns.TIME}
    start = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        sheet = book.add_worksheet()
        plain = book.add_format({"text_wrap": True})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for row in range(ROWS):
            for index, column in enumerate(export_columns.LEDGER):
                if column.heading in times:
                    sheet.write_datetime(row, index, at, moment)
                else:
                    sheet.write_string(row, index, text, plain)
        book.close()
    return time.perf_counter() - start


def _child(data: Path, user_id: str) -> None:
    """Export once, in a process of its own, as a job does; tell what it took."""
    from server import create_app
    from server.config import Config
    from server.core.access import Viewer
    from server.operations.export import export
    from shared import ids

    app = create_app(Config.from_environment(data))
    with app.app_context(), tempfile.TemporaryDirectory() as folder:
        viewer = Viewer(user_id, "admin", ids.ROOT_AREA)
        told: list[float] = []
        nothing = {"category": "none"}
        export("ledger", viewer, ids.ROOT_AREA, "xlsx", Path(folder) / "warm.xlsx", nothing)
        told.append(held("VmRSS"))
        start = time.perf_counter()
        rows = export("ledger", viewer, ids.ROOT_AREA, "xlsx", Path(folder) / "all.xlsx")
        seconds = time.perf_counter() - start
        if rows != ROWS:
            raise RuntimeError(f"{rows} rows")
        print(seconds, told[0], held("VmHWM"))


if __name__ == "__main__":
    _child(Path(sys.argv[1]), sys.argv[2])
