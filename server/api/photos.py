"""Photo uploads by tus 1.0: creation, checksum, expiration, termination."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from email.utils import formatdate

from flask import Response, request
from flask_smorest import Blueprint

from server.api.body import device, escrow_allowed
from server.errors import Trouble
from server.operations import upload as use_case
from shared import protocol

blueprint = Blueprint(
    "photos", __name__, url_prefix=protocol.PHOTOS, description="照片 Photos (tus)"
)
TUS = "1.0.0"
EXTENSIONS = "creation,checksum,expiration,termination"
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


@blueprint.after_request
def _tus(response: Response) -> Response:
    response.headers["Tus-Resumable"] = TUS
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.before_request
def _version() -> Response | None:
    """Every request but OPTIONS names the version it speaks."""
    if request.method == "OPTIONS":
        return None
    if request.headers.get("Tus-Resumable") != TUS:
        response = Response("", 412, {"Tus-Version": TUS, "Tus-Resumable": TUS})
        return response
    return None


@blueprint.route("", methods=["OPTIONS"])
@blueprint.route("/<upload_id>", methods=["OPTIONS"])
def options(upload_id: str = "") -> Response:
    """What this server can do; no sign-in needed."""
    return Response(
        "",
        204,
        {
            "Tus-Version": TUS,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(protocol.MAX_PHOTO),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )


@blueprint.post("")
@blueprint.response(201)
@escrow_allowed
def create() -> Response:
    """Begin an upload: Upload-Length, and Upload-Metadata with the photo's sha256."""
    size = _number("Upload-Length")
    sha256 = _metadata().get("sha256", "")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Trouble("invalid", "Upload-Metadata: sha256", {"sha256": ["64 hex digits needed"]})
    state = use_case.create(device(), sha256, size)
    if not state.id:
        return Response("", 200, {"Upload-State": state.state, "Upload-Offset": str(state.offset)})
    return Response("", 201, {"Location": f"{protocol.PHOTOS}/{state.id}", **_progress(state)})


@blueprint.route("/<upload_id>", methods=["HEAD"])
@escrow_allowed
def head(upload_id: str) -> Response:
    """How far an upload is."""
    state = use_case.resume(use_case.find(device(), upload_id))
    return Response("", 200, {**_progress(state), "Upload-Length": str(state.size)})


@blueprint.patch("/<upload_id>")
@blueprint.response(204)
@escrow_allowed
def patch(upload_id: str) -> Response:
    """Add bytes at Upload-Offset; the last ones are answered with what became of the photo."""
    if request.mimetype != "application/offset+octet-stream":
        raise Trouble("media_type", "Content-Type: application/offset+octet-stream")
    offset = _number("Upload-Offset")
    upload = use_case.find(device(), upload_id)
    data = request.get_data(cache=False)
    _check_sum(data)
    state = use_case.append(upload, offset, data)
    return Response("", 204, _progress(state))


@blueprint.delete("/<upload_id>")
@blueprint.response(204)
@escrow_allowed
def delete(upload_id: str) -> Response:
    """Give an upload up."""
    use_case.discard(use_case.find(device(), upload_id))
    return Response("", 204)


def _progress(state: use_case.State) -> dict[str, str]:
    return {
        "Upload-Offset": str(state.offset),
        "Upload-State": state.state,
        "Upload-Expires": formatdate(state.expires_at / 1000, usegmt=True),
    }


def _number(header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Trouble("invalid", header, {header: ["a whole number is needed"]})
    return int(text)


def _metadata() -> dict[str, str]:
    found = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key:
            try:
                found[key] = base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise Trouble("invalid", f"Upload-Metadata: {key}", {key: ["not base64"]}) from None
    return found


def _check_sum(data: bytes) -> None:
    header = request.headers.get("Upload-Checksum")
    if header is None:
        return
    name, _, wanted = header.partition(" ")
    if name not in ALGORITHMS:
        raise Trouble("bad_request", f"Upload-Checksum: {name} is not one of {list(ALGORITHMS)}")
    if base64.b64encode(ALGORITHMS[name](data).digest()).decode() != wanted:
        raise Trouble("checksum_mismatch")
