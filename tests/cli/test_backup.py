"""backup and restore on the command line, as an administrator uses them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from click.testing import CliRunner

from gridledger.cli import main


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.output


def test_a_backup_is_restored_and_the_file_before_it_kept(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert run("db", "upgrade", "--data", data)[0] == 0
    code, output = run("backup", str(tmp_path / "b"), "--data", data)
    assert code == 0, output
    code, output = run("backup", str(tmp_path / "b"), "--data", data)
    assert code == 1 and "已存在" in output
    code, output = run("restore", str(tmp_path / "b"), "--data", data)
    assert code == 0, output
    assert (tmp_path / "data" / "gridledger.sqlite3.before-1").exists()
    assert not list((tmp_path / "data").glob("*.part*"))
    assert run("compact", "--data", data)[0] == 0


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    (tmp_path / "text").write_text("这不是备份")
    code, output = run("restore", str(tmp_path / "text"), "--data", data)
    assert code == 1 and "SQLite" in output


def test_a_damaged_or_foreign_file_changes_nothing(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert run("db", "upgrade", "--data", data)[0] == 0
    assert run("backup", str(tmp_path / "b"), "--data", data)[0] == 0
    before = (tmp_path / "data" / "gridledger.sqlite3").read_bytes()
    whole = (tmp_path / "b").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 3])
    foreign = sqlite3.connect(tmp_path / "foreign")
    foreign.execute("CREATE TABLE x (y)")
    foreign.commit()
    foreign.close()
    for name in ("cut", "foreign"):
        code, output = run("restore", str(tmp_path / name), "--data", data)
        assert code == 1 and "备份" in output
        assert (tmp_path / "data" / "gridledger.sqlite3").read_bytes() == before
        assert not (tmp_path / "data" / "gridledger.sqlite3.part").exists()


def test_a_mistyped_folder_is_no_empty_database(tmp_path: Path) -> None:
    for command in (("backup", str(tmp_path / "b")), ("user", "list"), ("device", "list")):
        code, output = run(*command, "--data", str(tmp_path / "typo"))
        assert code == 1 and "--data" in output
    assert not (tmp_path / "typo" / "gridledger.sqlite3").exists()
    assert not (tmp_path / "b").exists()


def test_a_restore_waits_for_the_server_to_stop(tmp_path: Path) -> None:
    from gridledger.commands.server_data import configured, running_lock

    data = tmp_path / "data"
    assert run("db", "upgrade", "--data", str(data))[0] == 0
    assert run("backup", str(tmp_path / "b"), "--data", str(data))[0] == 0
    server = running_lock(configured(data))
    assert server is not None
    code, output = run("restore", str(tmp_path / "b"), "--data", str(data))
    assert code == 1 and "先停下" in output
    server.close()
    assert run("restore", str(tmp_path / "b"), "--data", str(data))[0] == 0


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    assert run("db", "upgrade", "--data", data)[0] == 0
    code, output = run("backup", str(tmp_path / "no" / "b"), "--data", data)
    assert code == 1 and "文件夹" in output
