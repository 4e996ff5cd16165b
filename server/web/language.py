"""The language of the pages: Chinese in the code, English in translations/en."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_login import current_user

from server import errors
from server.web.session import local_path

LANGUAGES = ("zh", "en")
TRANSLATIONS = Path(__file__).parent / "translations"

pages = Blueprint("language", __name__)


def register(app: Flask) -> None:
    """Choose each request's language before anything is said."""
    Babel(
        app,
        default_locale="zh",
        default_timezone="Asia/Shanghai",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=errors.language,
    )

    @app.before_request
    def _choose() -> None:
        chosen = session.get("language")
        if chosen in LANGUAGES:
            g.language = chosen


def follow(user_language: str) -> None:
    """Show the pages in the language of the account, unless one was chosen in this browser.

    Chinese is what every account starts with, so it says nothing against a browser's own wish.
    """
    if session.get("language") not in LANGUAGES and user_language in LANGUAGES[1:]:
        session["language"] = g.language = user_language


@pages.post("/language")
def choose() -> ResponseReturnValue:
    """Switch, and go back to the page."""
    wanted = request.form.get("language", "")
    if wanted in LANGUAGES:
        session["language"] = wanted
    home = url_for("web.home.page" if current_user.is_authenticated else "web.sign_in.page")
    return redirect(local_path(request.form.get("next")) or home)
