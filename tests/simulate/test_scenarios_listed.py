"""docs/decisions/0007-broken-on-purpose.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "decisions" / "0007-broken-on-purpose.md"


def test_every_lesson_has_a_line_and_every_test_it_names_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lessons = [int(n) for n in re.findall(r"^\| (\d+) ", text, re.MULTILINE)]
    assert lessons == list(range(1, 31))
    files = list((ROOT / "tests").rglob("test_*.py"))
    known = {path.stem for path in files}
    for path in files:
        known |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"\btest_\w+", text))
    assert named <= known, sorted(named - known)
