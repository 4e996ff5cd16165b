"""The protocol page says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from flask import Flask

from shared import protocol

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text()


def test_the_tables_of_the_protocol_page_are_made_from_the_code() -> None:
    script = [sys.executable, str(ROOT / "tools" / "protocol_tables.py"), "--check"]
    done = subprocess.run(script, check=False)
    assert done.returncode == 0, "run: python tools/protocol_tables.py"


def test_every_endpoint_of_the_api_is_on_the_protocol_page(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(protocol.PREFIX) and rule.endpoint not in (
            "api_page",
            "api-docs.openapi_json",
        ):
            name = rule.rule.removeprefix(protocol.PREFIX).split("/<")[0]
            assert name in PAGE, rule.rule


def test_every_op_and_result_is_explained() -> None:
    for word in ("create", "set", "add", "remove", "act", "delete", *protocol.RESULTS):
        assert re.search(rf"\b{word}\b", PAGE), word
