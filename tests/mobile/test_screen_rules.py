"""A screen is loaded when it is first built: its module brings every widget that its rules name."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "mobile" / "ui"
SCREENS = sorted(path.stem for path in (UI / "screens").glob("*.kv"))


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Every module of the phone's screens by its name."""
    found = {}
    for path in UI.rglob("*.py"):
        name = ".".join(("mobile.ui", *path.relative_to(UI).with_suffix("").parts))
        found[name] = ast.parse(path.read_text("utf-8"))
    return found


def brought(name: str, tree: dict[str, ast.Module]) -> set[str]:
    """The modules that are loaded with one, itself among them."""
    todo, seen = [name], set()
    while todo:
        one = todo.pop()
        if one in seen or one not in tree:
            continue
        seen.add(one)
        for node in tree[one].body:
            if isinstance(node, ast.ImportFrom) and node.module:
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return seen


def rules(name: str) -> list[Path]:
    """The .kv files that a module reads."""
    path = UI.joinpath(*name.split(".")[2:]).with_suffix(".kv")
    more = sorted((UI / "rules").glob("*.kv")) if name == "mobile.ui.widgets" else []
    return [*more, *([path] if path.exists() else [])]


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_brings_what_its_rules_name(screen: str) -> None:
    tree = modules()
    loaded = brought(f"mobile.ui.screens.{screen}", tree)
    ours = {
        node.name: module
        for module, parsed in tree.items()
        for node in parsed.body
        if isinstance(node, ast.ClassDef)
    }
    texts = {name: "".join(path.read_text("utf-8") for path in rules(name)) for name in tree}
    for name, text in texts.items():
        ours |= {made: name for made in re.findall(r"^<(\w+)@", text, re.M)}
    used = set(re.findall(r"^ +([A-Z]\w+):$", texts[f"mobile.ui.screens.{screen}"], re.M))
    missing = {one: ours[one] for one in used if one in ours and ours[one] not in loaded}
    assert used and not missing
