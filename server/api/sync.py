"""Push and pull (docs/protocol.md)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from flask import Response, request, stream_with_context
from flask_smorest import Blueprint

from server.api.body import device, device_needed, escrow_allowed, json_body, raw_body
from server.operations import offer as offering
from server.operations import pull as pulling
from server.operations import push as pushing
from shared import protocol, schemas

blueprint = Blueprint("sync", __name__, url_prefix=protocol.PREFIX, description="同步 Sync")
FLUSH_AT = 64 * 1024


@blueprint.post("/push")
@blueprint.doc(
    requestBody={"content": {protocol.NDJSON: {"schema": schemas.PushHeader}}},
)
@blueprint.response(200, schemas.PushAnswer)
@escrow_allowed
def push() -> dict[str, Any]:
    """Send transactions: NDJSON, gzip; the header first, then [dseq, id, text] a line."""
    header, incoming = pushing.read(raw_body().split(b"\n"))
    return pushing.push(device().id, header, incoming)


@blueprint.post("/offer")
@blueprint.doc(requestBody={"content": {"application/json": {"schema": schemas.OfferRequest}}})
@blueprint.response(200, schemas.OfferAnswer)
@device_needed
def offer() -> dict[str, Any]:
    """Send rows that a restored server lacks, before they are swept from the phone."""
    body = json_body(schemas.OfferRequest())
    return {"kept": offering.take(device().id, body["rows"])}


@blueprint.post("/pull")
@blueprint.doc(requestBody={"content": {"application/json": {"schema": schemas.PullRequest}}})
@blueprint.alt_response(200, description="NDJSON: header, rows, checkpoints, end")
@device_needed
def pull() -> Response:
    """Get what is new: NDJSON, gzip where the phone accepts it."""
    body = json_body(schemas.PullRequest())
    pulling.contact(device().id, body)
    lines = pulling.stream(device().id, body)
    first = next(lines)  # an error before the first line is still a proper answer
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    pieces = _pieces(first, lines)
    content = stream_with_context(_gzip(pieces) if zipped else pieces)
    response = Response(content, mimetype=protocol.NDJSON)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "no-store"
    return response


def _pieces(first: str, lines: Iterator[str]) -> Iterator[bytes]:
    """Lines gathered into pieces worth sending."""
    gathered, size = [first], len(first)
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= FLUSH_AT:
            yield ("\n".join(gathered) + "\n").encode()
            gathered, size = [], 0
    if gathered:
        yield ("\n".join(gathered) + "\n").encode()


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    deflater = zlib.compressobj(level=1, wbits=31)
    for piece in pieces:
        out = deflater.compress(piece)
        if out:
            yield out
    yield deflater.flush()
