"""Every sentence of the pages has its English."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask

import server.web
from tests.web.conftest import Visitor
from tests.web.scene import Scene

WEB = Path(server.web.__file__).parent
CATALOGUE = WEB / "translations/en/LC_MESSAGES/messages.po"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _messages() -> set[tuple[str, str | None]]:
    """Every text inside _(...) or pgettext(...) in the code and the templates; its context."""
    found = extract_from_dir(
        str(WEB),
        [("**.py", "python"), ("**/templates/**.html", "jinja2")],
        options_map={"**/templates/**.html": {"trim_blocks": "true", "silent": "false"}},
        keywords={"_": None, "gettext": None, "lazy_gettext": None, "pgettext": ((1, "c"), 2)},
    )
    return {
        (message if isinstance(message, str) else message[0], context)
        for _, _, message, _, context in found
    }


def test_every_message_has_its_english_and_none_is_left_over() -> None:
    with CATALOGUE.open("rb") as file:
        english = {(m.id, m.context): m.string for m in read_po(file, locale="en") if m.id}
    messages = _messages()
    assert len(messages) > 300
    assert messages - set(english) == set()
    assert set(english) - messages == set()
    for (message, _context), text in english.items():
        assert text and not CHINESE.search(text), message
        assert set(re.findall(r"%\(\w+\)s", message)) == set(re.findall(r"%\(\w+\)s", text))


def test_no_chinese_text_stands_outside_a_message() -> None:
    for path in (WEB / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)
        text = re.sub(r'(?:_\(|pgettext\("\w+", )(?:"[^"]*"|\'[^\']*\')', "", text)
        text = text.replace(">中文<", "")
        assert not CHINESE.search(text), path


def test_the_language_switches_and_stays(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app).sign_in("supervisor")
    visitor.get("/ledger?state=all")
    answer = visitor.post("/language", follow=False, language="en", next="/ledger?state=all")
    assert answer.headers["Location"] == "/ledger?state=all"
    page = visitor.get("/ledger?state=all").text
    assert 'lang="en"' in page and "Problem ledger" in page and "Overdue by" in page
    visitor.post("/sign-out")
    assert "Sign in" in visitor.get("/sign-in").text
    answer = visitor.post("/language", follow=False, language="zh", next="//evil.example")
    assert answer.headers["Location"] == "/sign-in"


def test_english_pages_have_no_chinese_words_of_ours(app: Flask, scene: Scene) -> None:
    """What people wrote stays as it is: the scene's own texts are taken out first."""
    visitor = Visitor(app, language="en")
    visitor.get("/sign-in")
    assert not CHINESE.search(visitor.page.replace("中文", ""))
    visitor.post("/sign-in", username="supervisor", password="wrong-1234")
    assert not CHINESE.search(visitor.page.replace("中文", ""))


def test_words_that_differ_by_their_place(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app, language="en").sign_in("auditor")
    assert "Signed in" in visitor.get("/audit").text
    visitor = Visitor(app, language="en").sign_in("admin")
    page = visitor.get("/people/new").text
    assert "Responsible unit" in page and "ody handler" not in page
    page = visitor.get("/people").text
    assert ">Grids</a>" in page
