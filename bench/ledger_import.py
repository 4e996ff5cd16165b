"""A ledger of 100,000 rows in Excel brought in, and the same file again, beside reading the file.

The file is our own export. It comes into a district that has none of it: each row is read, judged,
written with its history, searched for and numbered. Again, every row is known and nothing changes.
The floor is openpyxl reading all cells of the file once; an import that writes reads it twice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from bench.memory import held
from bench.problems import fill, grids, people
from bench.problems import rows as problem_rows
from bench.result import Result, tell
from bench.server import PostgreSQL, Site, site
from server.operations.transact import Entry, submit_many
from shared import ids
from shared.operations import Operation

ROWS = 100_000


def run(database: str, postgresql: PostgreSQL | None) -> Iterator[Result]:
    """Rows per second of the first time and of the second; the memory is that of the importer,
    above what it held idle."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.xlsx"
        with site(database, postgresql) as found:
            accounts = _district(found)
            fill(found, ROWS, accounts["district"], _rows, searched=False)
            _ask(found, "export", path, accounts["district"])
        floor = ROWS / _read(path)
        with site(database, postgresql) as found:
            accounts = _district(found)
            for name, created in (("ledger_import", ROWS), ("ledger_import again", 0)):
                told = _ask(found, "import", path, accounts["district"])
                seconds, idle, peak, rows, new = told
                if (rows, new) != (ROWS, created):
                    raise RuntimeError(f"{new:.0f} of {rows:.0f} rows were new")
                tell(f"{name}: {seconds:.0f} s; idle {idle:.0f} MB, at most {peak:.0f}")
                yield Result(name, database, ROWS / seconds, "rows/s", floor, peak - idle)


def _rows(count: int, author: str) -> Iterator[dict[str, Any]]:
    """Problems; none that was merged, for a sheet does not say into which."""
    for row in problem_rows(count, author):
        yield row | {"state": "closed"} if row["state"] == "merged" else row


def _district(found: Site) -> dict[str, str]:
    """Accounts, and every grid by a name of its own."""
    accounts = people(found)
    with found.app.app_context():
        made = [
            Operation("create", "area", ids.new_id(), ids.area_partition(code),
                      values={"code": code, "name": f"第{code[6:]}网格", "level": "grid"})
            for code in grids()[50:]
        ]  # fmt: skip
        list(submit_many([Entry(accounts["district"], made)]))
    return accounts


def _read(path: Path) -> float:
    """Seconds that the floor takes."""
    start = time.perf_counter()
    book = load_workbook(path, read_only=True, data_only=True)
    for sheet in book.worksheets:
        for _row in sheet.iter_rows(values_only=True):
            pass
    book.close()
    return time.perf_counter() - start


def _ask(found: Site, what: str, path: Path, user_id: str) -> list[float]:
    """What a process of its own tells: see _child."""
    env = os.environ | {
        "GRIDLEDGER_DATABASE_URL": found.config.database_url,
        "GRIDLEDGER_SECRET_KEY": "bench",
    }
    command = [sys.executable, "-m", "bench.ledger_import", what, str(path)]
    command += [str(found.config.data), user_id]
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return [float(one) for one in done.stdout.split()]


def _child(what: str, path: Path, data: Path, user_id: str) -> None:
    """Export or import once; tells seconds, MB held before and at most, rows, how many new."""
    from server import create_app
    from server.config import Config
    from server.core.access import Viewer
    from server.operations.export import export
    from server.operations.import_ledger import import_ledger
    from server.storage.database import db

    app = create_app(Config.from_environment(data))
    with app.app_context():
        if what == "export":
            viewer = Viewer(user_id, "admin", ids.ROOT_AREA)
            export("ledger", viewer, ids.ROOT_AREA, "xlsx", path, {}, True, "bench")
            return
        db.session.execute(db.text("SELECT 1"))
        idle, start = held("VmRSS"), time.perf_counter()
        report = import_ledger(path)
        seconds = time.perf_counter() - start
        print(seconds, idle, held("VmHWM"), report.rows, report.created)


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
