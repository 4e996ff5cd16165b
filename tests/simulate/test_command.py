"""`gridledger simulate` as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests import databases

KEYS = [
    "phones", "transactions", "applied", "conflict", "quarantined", "waiting", "lost",
    "duplicated", "diverged_partitions", "out_of_scope_records", "missing_records",
    "photos_declared", "photos_verified", "photos_on_phone", "photos_lost", "faults", "seconds",
]  # fmt: skip


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gridledger.cli", "simulate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_small_run_ends_with_one_json_object_and_nothing_lost(database: str) -> None:
    more = ["--database", databases.new_database()] if database == "postgresql" else []
    faults = "lost_response,server_killed,phone_killed,rewound"
    done = simulate(
        "--phones", "2", "--rounds", "1", "--faults", faults, "--photos", "1", "--json", *more
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert list(report) == KEYS
    assert set(report["faults"]) == set(faults.split(","))
    assert report["transactions"] == (
        report["applied"] + report["conflict"] + report["quarantined"]
    )
    assert report["photos_declared"] == report["photos_verified"] > 0
    if more:
        again = simulate("--json", *more)
        assert again.returncode == 1 and not again.stdout
        assert "不是空的" in again.stderr and "not empty" in again.stderr
        databases.drop_database(more[1])


def test_an_unknown_fault_is_told_with_those_there_are() -> None:
    done = simulate("--faults", "rain")
    assert done.returncode == 1
    assert "rain" in done.stderr and "lost_response" in done.stderr
