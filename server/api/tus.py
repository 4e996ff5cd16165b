"""The headers and bodies of tus 1.0, read strictly."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Iterator

from flask import request
from werkzeug.exceptions import ClientDisconnected, HTTPException

from server.errors import Trouble
from server.operations.upload import Interrupted

VERSION = "1.0.0"
ALGORITHMS = {"sha1": 20, "sha256": 32}  # name -> bytes of its digest
MEDIA_TYPE = "application/offset+octet-stream"
MOST_PARTS = 64
MOST_METADATA = 2048
LEAST, MOST = 16 * 1024, 256 * 1024  # bytes of one block of a body
BLOCK_S = 0.25  # and about as many as come in this time


def number(header: str) -> int:
    """A header that is a whole number, not negative; raises Trouble bad_request."""
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Trouble("bad_request", header, {header: ["a whole number is needed"]})
    return int(text)


def check_media_type() -> None:
    """Raise Trouble media_type unless the body is said to be an upload's bytes, as they are."""
    if request.mimetype != MEDIA_TYPE:
        raise Trouble("media_type", f"Content-Type: {MEDIA_TYPE}")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Trouble("media_type", "Content-Encoding: a photo's bytes come as they are")


def has_body() -> bool:
    """Whether bytes come with the request."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def metadata() -> str | None:
    """Upload-Metadata as it came, for HEAD to say again; raises Trouble bad_request if too long."""
    header = request.headers.get("Upload-Metadata")
    if header and (len(header) > MOST_METADATA or not header.isascii()):
        raise Trouble("bad_request", f"Upload-Metadata: {MOST_METADATA} ASCII characters at most")
    return header or None


def sha256_of_metadata() -> str:
    """The photo's hash in Upload-Metadata; empty if none is named. Raises Trouble."""
    sha256 = _metadata().get("sha256", "")
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Trouble("invalid", "Upload-Metadata: sha256", {"sha256": ["64 hex digits needed"]})
    return sha256


def _metadata() -> dict[str, str]:
    """Keys with their values: pairs with commas between, a value in base64 or none."""
    found: dict[str, str] = {}
    header = request.headers.get("Upload-Metadata", "")
    for pair in header.split(",") if header.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not key or not key.isascii() or key in found:
            raise Trouble("bad_request", "Upload-Metadata: keys are ASCII, and each is there once")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except binascii.Error:
            raise Trouble("bad_request", f"Upload-Metadata: {key} is not base64") from None
        except UnicodeDecodeError:
            found[key] = ""  # a value of some other client's own
    return found


def wanted_checksum() -> tuple[str, bytes] | None:
    """The algorithm and digest of Upload-Checksum, if it is there; raises Trouble bad_request."""
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return None
    name, _, value = header.strip().partition(" ")
    if name not in ALGORITHMS:
        raise Trouble("bad_request", f"Upload-Checksum: {name[:20]} is not one of {[*ALGORITHMS]}")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != ALGORITHMS[name]:
        raise Trouble("bad_request", f"Upload-Checksum: no {name} in base64")
    return name, digest


def blocks() -> Iterator[bytes]:
    """The body as it comes; raises Interrupted where the connection breaks or makes no sense.

    Large blocks on a fast line cost less; small ones on a slow line let little be lost when it
    breaks, and the upload's lease be renewed in time.
    """
    stream = request.stream
    size = 4 * LEAST
    while True:
        begun = time.monotonic()
        try:
            block = stream.read(size)
        except ClientDisconnected as error:
            raise Interrupted from error
        except HTTPException:
            raise
        except Exception as error:  # the web server's own, for chunks that are none
            raise Interrupted from error
        if not block:
            return
        yield block
        took = time.monotonic() - begun
        if len(block) == size:
            size = min(MOST, size * 4) if took * 4 < BLOCK_S else size
            size = max(LEAST, size // 4) if took > BLOCK_S * 2 else size
