"""Push and pull (docs/protocol.md)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from flask import Response, request, stream_with_context
from flask_smorest import Blueprint
from isal import igzip, isal_zlib

from server import quick_json
from server.api.body import bearer, device, device_needed, json_body, raw_body
from server.errors import Trouble
from server.operations import offer as offering
from server.operations import pull as pulling
from server.operations import push as pushing
from server.operations.enrol import device_id_of
from shared import protocol, quick, schemas

blueprint = Blueprint("sync", __name__, url_prefix=protocol.PREFIX, description="同步 Sync")
FLUSH_AT = 64 * 1024
ZIPPED_AT = 32 * 1024
MOST_ASKED = 2 * 2**20  # bytes of a pull request: 20,000 partitions and 5,000 hashes take less
_PULL = schemas.PullRequest()


@blueprint.post("/push")
@blueprint.doc(
    requestBody={"content": {protocol.NDJSON: {"schema": schemas.PushHeader}}},
)
@blueprint.response(200, schemas.PushAnswer)
def push() -> Response:
    """Send transactions: NDJSON, gzip; the header first, then [dseq, id, text] a line."""
    device_id = device_id_of(bearer(), escrow=True)
    header, incoming = pushing.read(raw_body().split(b"\n"))
    answer = pushing.push(device_id, header, incoming)
    return Response(quick_json.dumps(answer), mimetype="application/json")


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
def pull() -> Response:
    """Get what is new: NDJSON, gzip where the phone accepts it."""
    token = bearer()
    try:
        body = json_body(_PULL, quick.pull_request, MOST_ASKED)
    except Trouble:
        device_id_of(token)  # who may not ask hears that first
        raise
    found = pulling.pull(token, body)
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    content: Any
    if isinstance(found, bytes):
        content = igzip.compress(found, 1) if zipped else found
    else:
        pieces = _gzip(_pieces(found)) if zipped else _pieces(found)
        # An error before the first piece is still a proper answer.
        content = stream_with_context(chain((next(pieces),), pieces))
    response = Response(content, mimetype=protocol.NDJSON)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "no-store"
    return response


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    """Lines gathered into pieces worth sending."""
    gathered: list[str] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= FLUSH_AT:
            yield ("\n".join(gathered) + "\n").encode()
            gathered, size = [], 0
    if gathered:
        yield ("\n".join(gathered) + "\n").encode()


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    deflater = isal_zlib.compressobj(level=1, wbits=31)
    out = b""
    for piece in pieces:
        out += deflater.compress(piece)
        if len(out) >= ZIPPED_AT:
            yield out
            out = b""
    yield out + deflater.flush()
