"""The Flask application, with a short way for what phones ask all day long: push, pull, photos.

These have no cookie, session, form, language or limit: the token in their header is all there is.
What other requests pass before and after their view would cost more than a quiet pull itself.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from shared import protocol

SHORT = frozenset({protocol.PUSH, protocol.PULL})
OWN = f"{protocol.PHOTOS}/"  # here only the blueprint's own functions are met
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
YEAR = 365 * 24 * 3600


class Application(Flask):
    """Functions registered for before and after every request do not meet those of SHORT and OWN.

    Nothing that was registered to end a request is left out but for SHORT: uploads use sessions
    of the database.
    """

    def preprocess_request(self, *context: Any) -> Any:
        """Nothing stands before a push or a pull."""
        if request.path in SHORT:
            return None
        if not _is_own(request.path):
            return super().preprocess_request(*context)
        for name in request.blueprints:
            for function in self.before_request_funcs.get(name, ()):
                if (answer := function()) is not None:
                    return answer
        return None

    def process_response(self, *given: Any) -> Response:
        """Every answer has the headers that protect it."""
        response: Response = given[-1]
        if _is_own(request.path):
            for name in request.blueprints:
                for function in self.after_request_funcs.get(name, ()):
                    response = function(response)  # type: ignore[assignment]
        elif request.path not in SHORT:
            response = super().process_response(*given)
        protect(response)
        return response

    def do_teardown_request(self, *given: Any) -> None:
        """Nothing was set up."""
        if request.path not in SHORT:
            super().do_teardown_request(*given)


class Sessions(SecureCookieSessionInterface):
    """No session where the API is asked with a token."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """None stands for one that is empty and cannot be written."""
        if request.path in SHORT or _is_own(request.path):
            return None
        return super().open_session(app, request)


def _is_own(path: str) -> bool:
    return path.startswith(OWN) or path == protocol.PHOTOS


def protect(response: Response) -> None:
    """Add the headers, where the view has not set its own."""
    present = {name.lower() for name, _ in response.headers}
    response.headers.extend(
        [(name, value) for name, value in HEADERS.items() if name.lower() not in present]
    )
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
