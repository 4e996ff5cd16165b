"""Messages of every released protocol version are understood for ever (tests/golden/v*)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.operations import push
from shared import schemas

GOLDEN = sorted((Path(__file__).parent.parent / "golden").glob("v*"))


@pytest.fixture(params=GOLDEN, ids=lambda folder: folder.name)
def version(request: pytest.FixtureRequest) -> Path:
    folder = request.param
    assert isinstance(folder, Path)
    return folder


def test_a_push_of_this_version_is_read_whole(version: Path) -> None:
    header, incoming = push.read((version / "push.ndjson").read_bytes().split(b"\n"))
    assert header["waiting"]["transactions"] == 10
    faults = {one.dseq: one.fault.code for one in incoming if one.fault}
    assert faults == {11: "gap", 14: "invalid"}
    for one in incoming:
        if one.transaction:
            assert one.transaction.to_text() == one.text
    kinds = {op.op for one in incoming if one.transaction for op in one.transaction.operations}
    assert kinds == {"create", "set", "add", "remove", "act", "delete"}


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("enrol.json", schemas.EnrolRequest),
        ("enrol_again.json", schemas.EnrolRequest),
        ("pull.json", schemas.PullRequest),
        ("push_answer.json", schemas.PushAnswer),
        ("trouble.json", schemas.Trouble),
    ],
)
def test_the_other_messages_of_this_version_are_understood(
    version: Path, name: str, schema: type[schemas.Schema]
) -> None:
    assert schema().load(json.loads((version / name).read_text()))


def test_the_running_hash_of_this_version_is_still_the_same(version: Path) -> None:
    from shared import checksum

    _, incoming = push.read((version / "push.ndjson").read_bytes().split(b"\n"))
    running = ""
    for one in incoming:
        running = checksum.next_running(running, one.hash)
    answer = json.loads((version / "push_answer.json").read_text())
    assert running == answer["running"]
