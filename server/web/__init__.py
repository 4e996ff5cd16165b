"""The web pages: thin blueprints under one named "web", their templates and files.

A page reads through server.storage.queries and changes through server.operations; it holds no rule.
"""

from __future__ import annotations

from flask import Blueprint, Flask


def register(app: Flask) -> None:
    """Add every page, and what they share: who is signed in, language, security headers."""
    from server.web import (
        audit,
        board,
        categories,
        conflicts,
        exports,
        feedback,
        home,
        homes,
        language,
        layout,
        ledger,
        ledger_import,
        offers,
        overdue_photos,
        people,
        phones,
        photo_pages,
        photos,
        quarantine,
        rates,
        recurrences,
        security,
        session,
        sign_in,
        visits,
    )

    security.register(app)
    language.register(app)
    session.register(app)
    layout.register(app)
    web = Blueprint(
        "web",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    for module in (
        sign_in, home, visits, homes, ledger, conflicts, quarantine, offers, people, phones, photos,
        exports, audit, feedback, language, photo_pages, overdue_photos, rates, recurrences,
        categories, board, ledger_import,
    ):  # fmt: skip
        web.register_blueprint(module.pages)
    web.before_request(session.check)
    app.register_blueprint(web)
