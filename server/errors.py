"""One shape for every error: RFC 9457 problem+json with a stable code; a page where a person reads.

Trouble          what the server's own code raises: a code of protocol.REQUEST_CODES
Refused          (shared.reconcile) an operation's refusal, told as 422 or 403 or 409
HTTPException    werkzeug's own: 404, 405, 413 ...
anything else    500 "internal": logged, never shown
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, redirect, render_template, request
from marshmallow import ValidationError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from shared import protocol
from shared.reconcile import Refused

log = structlog.get_logger()
MOST_ERRORS = 50  # wrong fields that one answer names

_BY_STATUS = {
    400: "bad_request", 401: "sign_in_needed", 403: "forbidden", 404: "not_found",
    405: "method_not_allowed", 406: "not_acceptable", 409: "stale", 410: "gone", 413: "too_large",
    415: "media_type", 422: "invalid", 423: "locked", 426: "upgrade_required", 429: "too_many",
    503: "unavailable",
}  # fmt: skip


class Trouble(Exception):
    """A request that cannot be done. ``errors``: field -> list of messages; ``headers`` extra."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        errors: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.errors = code, detail, errors or {}
        self.headers = headers or {}


def language() -> str:
    """The reader's language: "zh" unless they chose or ask for English."""
    chosen = g.get("language")
    if chosen:
        return str(chosen)
    return request.accept_languages.best_match(["zh", "en"]) or "zh"


def problem(
    code: str, detail: str = "", errors: dict[str, Any] | None = None, status: int | None = None
) -> dict[str, Any]:
    """The body of a problem+json answer."""
    known = protocol.REQUEST_CODES.get(code)
    body: dict[str, Any] = {
        "type": f"urn:gridledger:error:{code}",
        "title": protocol.title(code, language()),
        "status": status or (known.status if known else 422),
        "code": code,
        "retry": protocol.may_retry(code),
    }
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = dict(list(errors.items())[:MOST_ERRORS])
    return body


def answer(
    code: str,
    detail: str = "",
    errors: dict[str, Any] | None = None,
    status: int | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The response that tells an error: JSON to programs, a page to people."""
    body = problem(code, detail, errors, status)
    if _wants_page():
        text = render_template("error.html", problem=body)
        response = Response(text, body["status"], mimetype="text/html")
    else:
        text = json.dumps(body, ensure_ascii=False)
        # What it quotes of the request may hold what UTF-8 cannot: half a surrogate pair.
        data = text.encode(errors="replace")
        response = Response(data, body["status"], mimetype=protocol.PROBLEM_JSON)
    response.headers.update(headers or {})
    return response


def _wants_page() -> bool:
    if request.path.startswith("/api/"):
        return False
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return best == "text/html" and "web" in current_app.blueprints


def _page_above() -> str:
    """The page of a form whose own address was opened (by a reload, after signing in); or ""."""
    above = request.path.rpartition("/")[0]
    if request.method != "GET" or not above or not _wants_page() or request.url_rule is not None:
        return ""
    try:
        current_app.create_url_adapter(request).match(above, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return ""
    return above


def register(app: Flask) -> None:
    """Answer every exception of every route in the one shape."""

    @app.errorhandler(Trouble)
    def _trouble(error: Trouble) -> Response:
        return answer(error.code, error.detail, error.errors, headers=error.headers)

    @app.errorhandler(Refused)
    def _refused(error: Refused) -> Response:
        status = {"forbidden": 403, "out_of_scope": 403, "unknown_record": 404}.get(error.code, 422)
        if error.code.startswith(("stale", "late")):
            status = 409
        errors = {error.field: [error.detail or protocol.title(error.code, language())]}
        return answer(error.code, error.detail, errors if error.field else None, status)

    @app.errorhandler(ValidationError)
    def _invalid(error: ValidationError) -> Response:
        messages = messages_of(error)
        return answer(invalid_code(messages), first_message(messages), messages)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        if error.code is not None and error.code < 400:
            return error.get_response(request.environ)  # type: ignore[return-value]
        status = error.code or 500
        if status == 405 and (page := _page_above()):
            return redirect(page)  # type: ignore[return-value]
        messages = (getattr(error, "data", None) or {}).get("messages")
        if isinstance(messages, dict):  # flask-smorest's own check of a request
            flat = {k: v for part in messages.values() for k, v in _fields(part)}
            return answer(invalid_code(flat), first_message(flat), flat)
        code = _BY_STATUS.get(status, "internal" if status >= 500 else "bad_request")
        if type(error).__name__ == "CSRFError":
            code = "csrf"
        allowed = getattr(error, "valid_methods", None)
        headers = {"Allow": ", ".join(allowed)} if allowed else None
        return answer(code, status=status, headers=headers)

    @app.errorhandler(OperationalError)
    def _database(error: OperationalError) -> Response:
        log.error("database unavailable", error=str(error.orig))
        return answer("unavailable", headers={"Retry-After": "5"})

    @app.errorhandler(Exception)
    def _internal(error: Exception) -> Response:
        if app.testing and app.config.get("PROPAGATE"):
            raise error
        log.exception("request failed", path=request.path, method=request.method)
        return answer("internal")


def messages_of(error: ValidationError) -> dict[str, Any]:
    """What a ValidationError says, as field -> messages, however it was raised."""
    messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return messages


def invalid_code(messages: dict[str, Any]) -> str:
    """unknown_field where that is all that is wrong, else invalid."""
    texts = list(_texts(messages))
    return "unknown_field" if texts and all(t == "Unknown field." for t in texts) else "invalid"


def first_message(messages: dict[str, Any], path: str = "") -> str:
    """The first wrong field and what is wrong with it, as one line: "values.note: too long"."""
    for name, inner in messages.items():
        here = f"{path}.{name}" if path else str(name)
        if isinstance(inner, dict):
            found = first_message(inner, here)
            if found:
                return found
        elif inner:
            text = inner[0] if isinstance(inner, list) else inner
            return f"{here}: {text}"
    return ""


def _fields(part: Any) -> list[tuple[str, Any]]:
    return list(part.items()) if isinstance(part, dict) else [("_body", part)]


def _texts(messages: Any) -> Any:
    if isinstance(messages, dict):
        for inner in messages.values():
            yield from _texts(inner)
    elif isinstance(messages, list):
        for inner in messages:
            yield from _texts(inner)
    else:
        yield messages
