"""Reading request bodies with a cap on what they grow to, and knowing which phone asks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from flask import g, request
from isal import isal_zlib
from isal.igzip_lib import IsalError
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import HTTPException

from server import quick_json
from server.errors import Trouble, first_message, invalid_code, messages_of
from server.operations.enrol import device_of, holder_of
from server.storage.glance import Holder
from server.storage.tables import Device
from shared import protocol

F = TypeVar("F", bound=Callable[..., Any])


def device_needed(view: F) -> F:
    """A route for phones: the bearer token names the device, which is then in `device()`."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        g.device = device_of(bearer())
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]


def escrow_allowed(view: F) -> F:
    """For routes that a revoked phone may still use to hand in what it holds: `holder()`."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        g.holder = holder_of(bearer(), escrow=True)
        return view(*args, **kwargs)

    return guarded  # type: ignore[return-value]


def bearer() -> str:
    """The token that came along; raises Trouble sign_in_needed."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Trouble("sign_in_needed", headers={"WWW-Authenticate": "Bearer"})
    return token.strip()


def device() -> Device:
    """The phone that asks."""
    found: Device = g.device
    return found


def holder() -> Holder:
    """The phone that hands something in, revoked or not."""
    found: Holder = g.holder
    return found


def raw_body(most: int = protocol.MAX_BODY) -> bytes:
    """The request's body, unzipped; raises Trouble too_large before it fills the memory."""
    if (request.content_length or 0) > most:
        raise Trouble("too_large", f"more than {most} bytes")
    try:
        data = request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception as error:  # the web server's own, for chunks that are none
        raise Trouble("bad_request", f"the body cannot be read: {error}") from None
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        if len(data) > most:
            raise Trouble("too_large", f"more than {most} bytes")
        return data
    if encoding != "gzip":
        raise Trouble("media_type", f"Content-Encoding {encoding}")
    inflater = isal_zlib.decompressobj(wbits=31)
    try:
        out = inflater.decompress(data, most + 1)
    except IsalError as error:  # type: ignore[misc]  # its stub forgets the base class
        raise Trouble("bad_envelope", f"gzip: {error}") from None
    if len(out) > most:
        raise Trouble("too_large", f"more than {most} bytes when unzipped")
    if not inflater.eof:
        raise Trouble("bad_envelope", "gzip: the body is cut off")
    return out


def json_body(
    schema: Schema,
    plainly_valid: Callable[[Any, bool], bool] | None = None,
    most: int = protocol.MAX_BODY,
) -> dict[str, Any]:
    """The request's JSON object, checked; raises Trouble that names the wrong field.

    ``plainly_valid`` may spare the schema's work (shared.quick). ``most``: bytes of the body.
    """
    try:
        data = raw_body(most)
        raw = quick_json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Trouble("bad_request", f"not JSON: {error}") from None
    if plainly_valid is not None and plainly_valid(raw, quick_json.is_clean(data)):
        valid: dict[str, Any] = raw
        return valid
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as error:
        messages = messages_of(error)
        raise Trouble(invalid_code(messages), first_message(messages), messages) from None
    return loaded
