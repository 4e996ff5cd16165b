"""`python -m bench [NAME...] [--json] [--database sqlite|postgresql|both]`."""

from __future__ import annotations

import argparse
import importlib
import sys

from bench.result import tell
from bench.server import PostgreSQL

# Those that ask a server run on a database; the phone's own run on its SQLite alone.
SERVER = ("push", "first_pull", "small_pull", "idle_pull", "push_growth", "ledger_export",
          "ledger_page", "ledger_import", "ledger_tick", "photo_upload")  # fmt: skip
PHONE = ("phone_save", "phone_apply", "phone_search", "phone_start", "phone_scroll",
         "phone_frames")  # fmt: skip
NAMES = ("push", "first_pull", "small_pull", "idle_pull", "phone_save", "phone_apply",
         "phone_search", "phone_start", "phone_scroll", "phone_frames", "ledger_export",
         "ledger_page", "ledger_import", "ledger_tick", "photo_upload", "push_growth")  # fmt: skip


def main() -> None:
    """Run the benchmarks that are named, or all; or `explain`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; explain")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql", "both"), default="both",
    )  # fmt: skip
    parser.add_argument("--rows", type=int, default=1_000_000, help="visits present (explain)")
    given = parser.parse_args()
    unknown = set(given.names) - {*NAMES, "explain"}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    databases = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    needs_server = set(given.names or SERVER) - set(PHONE)
    postgresql = PostgreSQL() if "postgresql" in databases and needs_server else None
    failed = False
    try:
        for name in given.names or NAMES:
            module = importlib.import_module(f"bench.{name}")
            if name == "explain":
                failed |= not all([module.run(one, postgresql, given.rows) for one in databases])
                continue
            for database in ("sqlite",) if name in PHONE else databases:
                tell(f"{name} on {database}")
                for result in module.run(database, postgresql):
                    print(result.as_json() if given.json else result.as_text(), flush=True)
    finally:
        if postgresql:
            postgresql.stop()
    sys.exit(failed)


if __name__ == "__main__":
    main()
