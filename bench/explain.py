"""EXPLAIN of every query of push and pull with 1,000,000 visits present: each uses an index."""

from __future__ import annotations

import gzip
import json
from typing import Any

from flask.testing import FlaskClient

from bench.data import build, fill
from bench.phones import PushingPhone
from bench.plans import captured, scans
from bench.pulls import request
from bench.result import tell
from bench.server import PostgreSQL, site
from shared import protocol

BIG = 10_000  # rows: a smaller table may be read from end to end


def run(database: str, postgresql: PostgreSQL | None, rows: int) -> bool:
    """Whether no big table is ever read from end to end; tells what is."""
    with site(database, postgresql) as found:
        district = build(found.app, workers=2, grids=max(3, rows // 1000))
        tell(f"explain on {database}: filling {rows:,}")
        fill(found, district, rows)
        client = found.app.test_client()
        with captured() as statements:
            _talk(client, district)
        connection = found.connect()
        big = {
            table
            for table in found.app.extensions["sqlalchemy"].metadata.tables
            if connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] >= BIG
        }
        connection.close()
        bad = [one for one in scans(found.app, statements, forced=False) if one[0] in big]
        print(f"explain      {database:10} {len(statements)} statements, {rows:,} visits,"
              f" {len(bad)} scans of a big table ({', '.join(sorted(big))})")  # fmt: skip
        for table, statement in bad:
            print(f"  {table}: {statement}")
        return not bad


def _talk(client: FlaskClient, district: Any) -> None:
    """Pushes and pulls of every sort: first, small, quiet, and the repair of a bucket."""
    phone = PushingPhone(district, 0)
    for body in phone.bodies(300):
        _post(client, protocol.PUSH, phone.token, body, zipped=True)
    for token in (phone.token, district.supervisor):
        lines = _pull(client, token, request({}, ""))
        cursors = {x["p"]: [x["seq"], x["view"]] for x in lines if x["t"] == "checkpoint"}
        epoch = lines[0]["epoch"]
        _pull(client, token, request(cursors, epoch))
        behind = {p: [max(0, seq - 5), view] for p, (seq, view) in cursors.items()}
        _pull(client, token, request(behind, epoch))
        grid = next(p for p in cursors if p.startswith("grid:"))
        for buckets in ([], [7]):
            asked = json.loads(request(cursors, epoch)) | {"repair": {grid: buckets}}
            _pull(client, token, json.dumps(asked | {"photos": ["0" * 64]}).encode())


def _pull(client: FlaskClient, token: str, body: bytes) -> list[dict[str, Any]]:
    data = _post(client, protocol.PULL, token, body, zipped=False)
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


def _post(client: FlaskClient, path: str, token: str, body: bytes, zipped: bool) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    if zipped:
        headers["Content-Encoding"] = "gzip"
    type_ = protocol.NDJSON if zipped else "application/json"
    response = client.post(path, data=body, content_type=type_, headers=headers)
    if response.status_code != 200:
        raise RuntimeError(response.text)
    return response.data
