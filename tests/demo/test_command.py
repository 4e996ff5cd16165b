"""`gridledger demo` as a person runs it: a process with an address, accounts and codes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from gridledger.demo.folder import description
from mobile.sync.phone import Phone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
WAIT = 90


@contextmanager
def demo_process(folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The command with --json on a free port; it is ended if the test has not done so."""
    command = [sys.executable, "-m", "gridledger.cli", "demo", "--json", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--data", str(folder), "--households", "240", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=WAIT)


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


def answers(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_first_run_then_sigterm_then_a_second_run_that_keeps_everything(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo_process(folder) as process:
        told = first_line(process)
        with urlopen(told["url"] + "/api/v1/openapi.json", timeout=30) as answer:
            assert answer.status == 200
        assert told["round"]["visits"] == 12
        assert told["round"]["photos"] == 8
        roles = {"admin", "supervisor", "handler", "auditor", "grid_worker"}
        assert set(told["accounts"]) == roles
        assert all(one["password"] for one in told["accounts"].values())
        assert len(told["areas"]) == 6
        assert len(told["enrolment_codes"]) == 6
        username, code = next(iter(told["enrolment_codes"].items()))
        phone = Phone.open(tmp_path / "phone")
        assert phone.enrol_by_code(told["url"], code, "test").name
        phone.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WAIT) == 0
        assert not answers(told["url"])
    with demo_process(folder) as process:
        begun = time.monotonic()
        again = first_line(process)
        assert time.monotonic() - begun < 20  # measured: under 5 s; loaded machines are slower
        assert again["accounts"] == told["accounts"]
        assert again["areas"] == told["areas"]
        assert again["round"] == told["round"]
        assert set(again["enrolment_codes"]) == set(told["enrolment_codes"])
        assert again["enrolment_codes"][username] != code


def test_killed_in_the_round_and_run_again(demo: Path) -> None:
    """SIGKILL takes the server with it; the next run plays the rest of the round."""
    with demo_process(demo) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "走访 5/12" in line:
                process.kill()
                break
        process.wait(timeout=WAIT)
    with demo_process(demo) as process:
        told = first_line(process)
        assert told["round"] == {"visits": 12, "photos": 8, "problems": 3, "transactions": 16}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux'")
def test_without_a_round_none_is_played_and_a_killed_demo_takes_its_server_along(
    demo: Path,
) -> None:
    with demo_process(demo, "--no-round") as process:
        told = first_line(process)
        assert told["round"] is None
        assert not (demo / "round-phone").exists()
        url = told["url"]
        process.kill()
        process.wait(timeout=WAIT)
        deadline = time.monotonic() + WAIT
        while answers(url) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not answers(url)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gridledger.cli", "demo", *arguments],
        capture_output=True, text=True, timeout=WAIT, check=False,
    )  # fmt: skip


def test_a_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("--data", str(tmp_path / "demo"), "--port", port)
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"端口 {port} 已被占用" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "demo").exists()


def test_a_folder_of_something_else_is_refused_even_with_reset(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    done = run("--data", str(tmp_path), "--port", "0", "--reset")
    assert done.returncode == 1
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_reset_makes_it_anew(demo: Path) -> None:
    before = description(demo)["accounts"]
    with demo_process(demo, "--no-round", "--reset", "--households", "12") as process:
        told = first_line(process)
    assert told["accounts"]["admin"]["password"] != before[0]["password"]


def test_a_wrong_option_is_a_usage_error() -> None:
    assert run("--households", "none").returncode == 2
