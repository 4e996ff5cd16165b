"""backup and restore on the command line, as an administrator uses them."""

from __future__ import annotations

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
    assert (tmp_path / "data" / "gridledger.sqlite3.before").exists()
    assert run("compact", "--data", data)[0] == 0


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    (tmp_path / "text").write_text("这不是备份")
    code, output = run("restore", str(tmp_path / "text"), "--data", data)
    assert code == 1 and "SQLite" in output
