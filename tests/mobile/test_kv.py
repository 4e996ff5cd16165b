"""What the .kv files must not say."""

from __future__ import annotations

import re
from pathlib import Path

UI = Path(__file__).parents[2] / "mobile" / "ui"


def test_no_rule_reads_through_ids() -> None:
    """Kivy holds what stands before the last dot for ever: the page, and by it the whole app."""
    files = sorted(UI.rglob("*.kv"))
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\bids\.\w+\.", line)
    ]
    assert files and not found
