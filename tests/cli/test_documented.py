"""docs/operations.md knows every command and every setting; decisions are numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gridledger.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found, f"{path} {name}")
        else:
            yield f"{path} {name}", found


EVERY = dict(commands(main, "gridledger"))


@pytest.mark.parametrize("path", EVERY)
def test_every_command_is_documented(path: str) -> None:
    assert re.search(rf"^### {path}$", TEXT, re.MULTILINE), path


@pytest.mark.parametrize("path", EVERY)
def test_every_command_has_help_in_both_languages(path: str) -> None:
    help_text = EVERY[path].help or ""
    assert re.search(r"[\u4e00-\u9fff]", help_text) and re.search(r"[A-Za-z]{4}", help_text), path
    if not path.startswith("gridledger demo"):
        assert "Example:" in help_text and path in help_text
    for option in EVERY[path].params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.opts}"


def test_every_setting_is_documented_and_no_other() -> None:
    found = set()
    for package in ("server", "gridledger", "mobile"):
        for path in (ROOT / package).rglob("*.py"):
            found |= set(re.findall(r"GRIDLEDGER_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    listed = set(re.findall(r"^\| `(GRIDLEDGER_[A-Z_]+)` \|", TEXT, re.MULTILINE))
    assert listed == found


def test_the_list_of_commands_shows_each_with_a_line() -> None:
    assert all(re.search(r"[\u4e00-\u9fff].* / \w", line) for _, _, line in COMMANDS.values())


def test_every_decision_has_a_number_of_its_own() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in files]
    assert numbers == [f"{number:04}" for number in range(1, len(files) + 1)]
    for path in files:
        assert path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} ")
