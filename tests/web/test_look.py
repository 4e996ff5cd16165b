"""The look: colours that can be read, the same in the stylesheet and in the phone app."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

import server.web
from server.storage.queries import figures
from server.web import layout
from shared import records
from tests.web.conftest import Visitor

CSS = (Path(server.web.__file__).parent / "static/app.css").read_text()
TOKENS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", CSS))
GROUNDS = ("paper", "page")
TONES = ("info", "good", "warn", "danger", "mute", "primary")


def _light(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_light(TOKENS[one]), _light(TOKENS[other])))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("text", "ground"),
    [(text, ground) for text in ("ink", "sub", "primary", "danger") for ground in GROUNDS]
    + [(tone, f"{tone}-soft") for tone in TONES]
    + [("paper", "primary"), ("paper", "primary-down"), ("paper", "danger")],
)
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert _contrast(text, ground) >= 4.5


def test_every_state_has_a_word_an_icon_and_a_colour(app: Flask) -> None:
    icons = (Path(server.web.__file__).parent / "static/vendor/bootstrap-icons.min.css").read_text()
    with app.test_request_context():
        for (kind, field), looks in layout.LOOKS.items():
            codes = {choice.code for choice in records.FIELDS[kind][field].choices}
            assert codes == set(looks), (kind, field)
            for look in looks.values():
                assert f".bi-{look.icon}::before" in icons
                assert f".chip-{look.tone} " in CSS


def test_every_icon_exists() -> None:
    icons = (Path(server.web.__file__).parent / "static/vendor/bootstrap-icons.min.css").read_text()
    folder = Path(server.web.__file__).parent
    text = "".join(p.read_text() for p in folder.rglob("*.html"))
    for name in re.findall(r'icon\("([a-z0-9-]+)"\)', text):
        assert f".bi-{name}::before" in icons, name


def test_a_database_that_is_away_is_told_on_a_page(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(app).sign_in("supervisor")

    def away(*_: object) -> None:
        raise OperationalError("select", {}, Exception("connection refused"))

    monkeypatch.setattr(figures, "of", away)
    answer = visitor.get("/")
    assert answer.status_code == 503 and answer.mimetype == "text/html"
    assert "请过一会儿再试" in answer.text and "connection refused" not in answer.text
    assert answer.headers["Retry-After"] == "5"
