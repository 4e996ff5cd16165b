"""The real command line, run as a person runs it: what it prints, and how it exits."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from gridledger.cli import main
from tests import databases
from tests.imports import rosters

AREAS = """code,name,parent
410103007,大学路街道,
410103007901,航苑社区,410103007
410103007901001,第一网格,410103007901
"""
GRID = "410103007901001"


def run(
    *arguments: object, data: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gridledger.cli", *map(str, arguments)]
    if data is not None:
        command += ["--data", str(data)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GRIDLEDGER_")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=clean | {"PYTHONUTF8": "1"} | env
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A server's data folder with areas and an admin, made by the commands themselves."""
    folder = tmp_path / "data"
    (tmp_path / "areas.csv").write_text(AREAS, encoding="utf-8")
    for arguments in (
        ["user", "add", "admin", "--name", "管理员", "--role", "admin", "--area", "0"],
        ["area", "import", str(tmp_path / "areas.csv")],
        ["user", "add", "li", "--name", "李强", "--role", "grid_worker", "--area", "410103007901"],
    ):
        done = CliRunner().invoke(main, [*arguments, "--data", str(folder)])
        assert done.exit_code == 0, done.output
    return folder


def call(data: Path, *arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [*map(str, arguments), "--data", str(data)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_a_roster_goes_in_and_the_ledger_comes_out(data: Path, tmp_path: Path) -> None:
    path = rosters.messy(tmp_path / "名册.xlsx")
    code, output = call(data, "import-roster", path, "--area", GRID, "--dry-run")
    assert code == 1 and "没有写入" in output and "户主 -> contact_name" in output
    code, output = call(data, "import-roster", path, "--area", GRID)
    assert code == 1, "some rows are bad"
    assert (
        "新建 7 户" in output and "第 12 行 / row 12" in output and "7 households created" in output
    )
    code, output = call(data, "import-roster", path, "--area", GRID)
    assert "新建 0 户，更新 0，未变 7" in output
    target = tmp_path / "台账.xlsx"
    code, output = call(data, "export", "ledger", "--area", "0", "-o", target)
    assert (code, load_workbook(target).active["A2"].value) == (0, "序号")


def test_grids_are_given_and_taken(data: Path) -> None:
    assert call(data, "assign", "li", "--grid", GRID)[0] == 0
    assert GRID in call(data, "user", "list")[1]
    assert call(data, "unassign", "li", "--grid", GRID)[0] == 0
    code, output = call(data, "unassign", "li", "--grid", GRID)
    assert code == 1 and "并不负责" in output


def test_an_enrolment_code_is_shown_as_text_link_and_picture(data: Path) -> None:
    code, output = call(data, "enrol", "li", "--server", "https://grid.example.gov.cn")
    assert code == 0
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", output)
    assert "gridledger://enrol?server=https%3A%2F%2Fgrid.example.gov.cn&code=" in output
    assert "▄" in output and "10 分钟" in output


def test_phones_are_listed(data: Path) -> None:
    assert "上次联系" in call(data, "device", "list")[1]
    code, output = call(data, "device", "revoke", "nothing")
    assert code == 1 and "没有手机" in output


def test_a_password_is_set_anew(data: Path) -> None:
    code, output = call(data, "user", "password", "li")
    assert code == 0 and re.search(r"Password: (\w{4}-){2}\w{4}", output)
    assert call(data, "user", "password", "nobody")[0] == 1


def test_an_upgraded_database_stays_as_it_is(data: Path) -> None:
    assert call(data, "db", "upgrade") == (0, "已是最新 / Up to date\n")


def test_an_unmasked_export_is_marked_with_who_runs_it(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.xlsx"
    arguments = ("export", "ledger", "--area", "0", "-o", target, "--unmasked")
    assert call(data, *arguments)[0] == 2, "a reason is needed"
    assert call(data, *arguments, "--reason", "核查")[0] == 0
    assert "命令行" in load_workbook(target).active["A1"].value


def test_the_name_of_the_file_says_its_format(data: Path, tmp_path: Path) -> None:
    arguments = ("export", "ledger", "--area", "0", "-o")
    assert call(data, *arguments, tmp_path / "a.CSV")[0] == 0
    assert (tmp_path / "a.CSV").read_bytes().startswith("\ufeff序号".encode())
    assert call(data, *arguments, tmp_path / "a.geojson")[0] == 0
    assert '"FeatureCollection"' in (tmp_path / "a.geojson").read_text()
    assert call(data, *arguments, tmp_path / "b", "--format", "csv")[0] == 0
    for name, more in (("c.csv", ("--format", "xlsx")), ("c.xls", ()), ("c.pdf", ())):
        assert call(data, *arguments, tmp_path / name, *more)[0] == 2, name
        assert not (tmp_path / name).exists()


@pytest.mark.parametrize("server", ["foo", "foo.example", "ftp://foo", "https://", "http://a b"])
def test_the_server_of_a_code_is_an_address(data: Path, server: str) -> None:
    code, output = call(data, "enrol", "li", "--server", server)
    assert code == 2 and "https://" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["export", "ledger", "--area", "999", "-o", "x.xlsx"], 1, "没有区划代码 999"),
        (["export", "ledger", "--area", "0", "-o", "/nowhere/x.xlsx"], 1, "/nowhere/x.xlsx"),
        (["export", "ledger", "--area", "0"], 2, "--output"),
        (["export", "people", "--area", "0", "-o", "x"], 2, "people"),
        (["assign", "nobody", "--grid", GRID], 1, "没有账号 nobody"),
        (["user", "add", "x y", "--name", "x", "--role", "admin", "--area", "0"], 1, "用户名"),
        (["import-roster", __file__, "--area", "0"], 1, "不是 XLSX"),
        (["import-roster", "missing.xlsx", "--area", "0"], 2, "missing.xlsx"),
    ],
)
def test_an_expected_error_is_one_line_and_no_traceback(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    assert run("db", "upgrade", data=tmp_path).returncode == 0
    if "0" in arguments and arguments[0] == "import-roster" and code == 1:
        (tmp_path / "a.csv").write_text(AREAS, encoding="utf-8")
        run("area", "import", tmp_path / "a.csv", data=tmp_path)
    done = run(*arguments, data=tmp_path)
    assert done.returncode == code
    assert says in done.stderr and "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.slow
def test_help_is_quick_and_imports_neither_flask_nor_kivy() -> None:
    code = (
        "import sys; sys.argv = ['gridledger', '--help']\n"
        "from gridledger.cli import main\n"
        "try: main()\n"
        "except SystemExit as e: assert e.code == 0\n"
        "assert not {'flask', 'sqlalchemy', 'kivy', 'gunicorn'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "import-roster" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("blocked", "arguments", "extra"),
    [("flask", ["user", "list"], "server"), ("kivy", ["phone"], "mobile")],
)
def test_a_missing_library_is_named_with_what_to_install(
    tmp_path: Path, blocked: str, arguments: list[str], extra: str
) -> None:
    code = (
        f"import sys; sys.modules[{blocked!r}] = None; sys.argv = ['gridledger', *{arguments!r}]\n"
        "from gridledger.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, cwd=tmp_path
    )
    assert done.returncode == 1
    assert f"gridledger[{extra}]" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.postgresql
def test_another_database_is_upgraded_by_command_only(tmp_path: Path) -> None:
    url = databases.new_database()
    try:
        env = {"GRIDLEDGER_DATABASE_URL": url}
        before = run("user", "list", data=tmp_path, **env)
        assert before.returncode == 1 and "db upgrade" in before.stderr
        assert run("db", "upgrade", data=tmp_path, **env).returncode == 0
        assert run("user", "list", data=tmp_path, **env).returncode == 0
    finally:
        databases.drop_database(url)


def answers(url: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except URLError:
            time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_server_starts_answers_and_stops_when_told(tmp_path: Path, database: str) -> None:
    url = databases.new_database() if database == "postgresql" else ""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GRIDLEDGER_")}
    env |= {"GRIDLEDGER_DATABASE_URL": url, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gridledger.cli", "serve", "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--data", str(tmp_path)], env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert answers(f"http://127.0.0.1:{port}/api/v1/openapi.json")
        taken = run("serve", "--port", port, data=tmp_path)
        assert taken.returncode == 1 and "Cannot listen" in taken.stderr
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=30)
    finally:
        server.kill()
        if url:
            databases.drop_database(url)
    assert server.returncode == 0
    assert f"http://127.0.0.1:{port}" in out
    assert err == ""


@pytest.mark.slow
def test_a_wrong_number_of_processes_is_a_usage_error(tmp_path: Path) -> None:
    env = {"GRIDLEDGER_DATABASE_URL": "postgresql://nowhere/x", "GRIDLEDGER_WORKERS": "many"}
    done = run("serve", data=tmp_path, **env)
    assert done.returncode == 2 and "GRIDLEDGER_WORKERS" in done.stderr
