"""JSON by a fast library, with the standard one's meaning.

msgspec is stricter (no NaN, no lone surrogates) and keeps every number: what it reads, `json` reads
alike. All else is read again by `json`, which decides and names the error.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

_read = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder().encode


def loads(text: bytes | str) -> Any:
    """What `json.loads` makes of it, in UTF-8. Raises ValueError, RecursionError as that does."""
    try:
        return _read(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return json.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))


def is_clean(text: bytes) -> bool:
    """Whether what is read from it can hold no character that cannot be stored
    (shared.quick.storable): only an escape by number could say one.
    """
    return b"\\u" not in text


def dumps(value: Any) -> bytes:
    """Short, in UTF-8. Numbers must be finite; raises UnicodeEncodeError for lone surrogates."""
    return _write(value)
