"""The phone reads the messages of every released version, and needs nothing of the server's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mobile.core.errors import EnrolFailed
from mobile.sync import enrolment
from mobile.sync.failure import RequestFailed
from mobile.sync.phone import Phone
from mobile.sync.pull import Pulled, pull

GOLDEN = Path(__file__).parent.parent / "golden"
VERSIONS = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())


class FakeClient:
    """Answers every pull with the same lines."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.lines = lines

    @contextmanager
    def pull(self, _request: Any) -> Iterator[Iterator[dict[str, Any]]]:
        yield iter(self.lines)


def take(phone: Phone, lines: list[dict[str, Any]]) -> Pulled:
    client: Any = FakeClient(lines)
    return pull(phone._store, client, phone._clock, lambda done, total: None)


def golden(version: str) -> list[dict[str, Any]]:
    text = (GOLDEN / version / "pull_answer.ndjson").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    # A phone that never pushed: the device's past in the golden message is not this one's.
    lines[0] |= {"last_dseq": 0, "running": "", "answers": []}
    return lines


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pull_of_every_released_version_is_taken(phone: Phone, version: str) -> None:
    pulled = take(phone, golden(version))
    assert pulled.rows == 3 and pulled.mismatched == set()
    (visit,) = phone.visits(limit=5)
    assert phone.visit(visit.id).values["a_field_of_a_later_version"] == {"kept": "as received"}


@pytest.mark.parametrize("member", ["p", "seq", "id", "rev", "v", "kind"])
def test_a_row_that_lacks_something_stops_the_stream_and_harms_nothing(
    phone: Phone, member: str
) -> None:
    lines = golden(VERSIONS[0])
    row = next(line for line in lines if line["t"] == "row")
    del row[member]
    with pytest.raises(RequestFailed) as caught:
        take(phone, lines)
    assert caught.value.code == "answer_invalid"
    assert phone.visits() == []
    assert take(phone, golden(VERSIONS[0])).mismatched == set()


def test_an_error_in_the_stream_is_told(phone: Phone) -> None:
    with pytest.raises(RequestFailed) as caught:
        take(phone, [golden(VERSIONS[0])[0], {"t": "error", "code": "unavailable"}])
    assert caught.value.code == "unavailable"


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("https://example.invalid/", "link_invalid"),
        ("gridledger://enrol?server=http%3A%2F%2Fh", "link_invalid"),
        ("gridledger://enrol?code=ABCD-EFGH", "server_needed"),
        ("", "link_invalid"),
    ],
)
def test_a_link_that_is_no_enrolment_is_told(link: str, code: str) -> None:
    with pytest.raises(EnrolFailed) as caught:
        enrolment.parse_link(link)
    assert caught.value.code == code


def test_an_enrolment_link_names_server_and_code() -> None:
    link = "gridledger://enrol?server=http%3A%2F%2F10.0.0.2%3A8000&code=ABCD-EFGH"
    assert enrolment.parse_link(link) == ("http://10.0.0.2:8000", "ABCD-EFGH")
    assert enrolment.plain_server("10.0.0.2:8000/") == "http://10.0.0.2:8000"


def test_the_phone_imports_neither_the_server_nor_a_screen() -> None:
    program = (
        "import sys\n"
        "for name in ('kivy', 'flask', 'sqlalchemy', 'server', 'click', 'structlog',"
        " 'pillow_heif'):\n"
        "    sys.modules[name] = None\n"
        "import mobile.sync.phone\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
