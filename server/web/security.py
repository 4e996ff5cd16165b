"""What protects every page: CSRF tokens, what may be kept, a limit on sign-in tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, abort, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf import CSRFProtect

from server.application import YEAR
from shared import protocol

T = TypeVar("T")
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address, default_limits=[])


def takes_up_to(size: int) -> Callable[[T], T]:
    """A view whose form may bring a file of so many bytes; others take what the API takes."""

    def mark(view: T) -> T:
        view.largest = size  # type: ignore[attr-defined]
        return view

    return mark


def register(app: Flask) -> None:
    """Check the CSRF token of every form, and say what may be kept of an answer.

    The API is called with a token of the device in a header, never with a cookie: no CSRF there.
    """
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # as long as the session
    app.config.setdefault("RATELIMIT_STORAGE_URI", "memory://")
    csrf.init_app(app)
    limiter.init_app(app)

    @app.before_request
    def _protect() -> None:
        if request.path.startswith(protocol.PREFIX + "/"):
            return
        view = app.view_functions.get(request.endpoint or "")
        request.max_content_length = getattr(view, "largest", app.config["MAX_CONTENT_LENGTH"])
        csrf.protect()
        values = (request.path, *request.args.values(), *request.form.values())
        if any("\x00" in value for value in values):
            abort(400)  # no text has it, and PostgreSQL cannot be asked for one that does

    @app.after_request
    def _headers(response: Response) -> Response:
        if request.endpoint == "web.static":
            if "v" in request.args:
                response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        elif not request.path.startswith(protocol.PREFIX) and not response.cache_control.private:
            response.headers["Cache-Control"] = "no-store"
        return response
