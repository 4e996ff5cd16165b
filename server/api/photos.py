"""Photo uploads by tus 1.0: creation, checksum, expiration, termination, concatenation."""

from __future__ import annotations

import hashlib
from email.utils import formatdate

from flask import Response, request
from flask_smorest import Blueprint

from server.api import tus
from server.api.body import escrow_allowed, holder
from server.errors import Trouble
from server.operations import upload as use_case
from shared import protocol

blueprint = Blueprint(
    "photos", __name__, url_prefix=protocol.PHOTOS, description="照片 Photos (tus)"
)
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination,concatenation"
WHERE = "/<upload_id>"


@blueprint.after_request
def _tus(response: Response) -> Response:
    response.headers["Tus-Resumable"] = tus.VERSION
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.before_request
def _version() -> Response | None:
    """Every request but OPTIONS names the version it speaks."""
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != tus.VERSION:
        return Response("", 412, {"Tus-Version": tus.VERSION})
    return None


@blueprint.route("", methods=["OPTIONS"])
@blueprint.route(WHERE, methods=["OPTIONS"])
def options(upload_id: str = "") -> Response:
    """What this server can do; no sign-in needed."""
    return Response(
        "",
        204,
        {
            "Tus-Version": tus.VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(protocol.MAX_PHOTO),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        },
    )


@blueprint.post("")
@blueprint.response(201)
@escrow_allowed
def create() -> Response:
    """Begin an upload: Upload-Length, and Upload-Metadata with the photo's sha256.

    With Upload-Concat it is a part of a photo, or a photo made of parts. A body of
    application/offset+octet-stream is its first bytes.
    """
    concat = request.headers.get("Upload-Concat")
    if concat is not None and concat.startswith(use_case.FINAL_OF):
        state = _concatenated(concat)
    else:
        if concat not in (None, use_case.PARTIAL):
            raise Trouble("bad_request", "Upload-Concat: partial, or final;URL URL")
        if "Upload-Defer-Length" in request.headers:
            raise Trouble("bad_request", "Upload-Defer-Length: the length is needed at creation")
        size, sha256 = tus.number("Upload-Length"), tus.sha256_of_metadata()
        if not sha256:
            raise Trouble(
                "invalid", "Upload-Metadata: sha256", {"sha256": ["64 hex digits needed"]}
            )
        begins = tus.has_body()
        if begins:
            tus.check_media_type()
        state = use_case.create(holder(), sha256, size, concat is not None, tus.metadata())
        if begins and state.offset < size:
            state = _append(state.id, 0)
    response = _progress(state, 201)
    response.headers["Location"] = f"{protocol.PHOTOS}/{state.id}"
    return response


@blueprint.route(WHERE, methods=["HEAD"])
@escrow_allowed
def head(upload_id: str) -> Response:
    """How far an upload is."""
    state = use_case.resume(use_case.find(holder(), upload_id))
    response = _progress(state, 200)
    response.headers["Upload-Length"] = str(state.size)
    if state.metadata:
        response.headers["Upload-Metadata"] = state.metadata
    if state.concat is not None:
        response.headers["Upload-Concat"] = state.concat
        if state.concat != use_case.PARTIAL and state.state == "uploading":
            del response.headers["Upload-Offset"]
    return response


@blueprint.patch(WHERE)
@blueprint.response(204)
@escrow_allowed
def patch(upload_id: str) -> Response:
    """Add bytes at Upload-Offset; the last ones are answered with what became of the photo."""
    tus.check_media_type()
    return _progress(_append(upload_id, tus.number("Upload-Offset")), 204)


@blueprint.delete(WHERE)
@blueprint.response(204)
@escrow_allowed
def delete(upload_id: str) -> Response:
    """Give an upload up."""
    use_case.discard(use_case.find(holder(), upload_id))
    return Response("", 204)


@blueprint.post(WHERE)
@blueprint.response(204)
def overridden(upload_id: str) -> Response:
    """PATCH or DELETE for those whose network lets only POST pass: X-HTTP-Method-Override."""
    meant = {"PATCH": patch, "DELETE": delete}.get(
        request.headers.get("X-HTTP-Method-Override", "").upper()
    )
    if meant is None:
        raise Trouble("method_not_allowed", headers={"Allow": "HEAD, PATCH, DELETE, OPTIONS"})
    answer: Response = meant(upload_id)
    return answer


def _append(upload_id: str, offset: int) -> use_case.State:
    """Take the request's body in, block by block."""
    request.max_content_length = protocol.MAX_PHOTO
    upload = use_case.find(holder(), upload_id)
    if offset + (request.content_length or 0) > upload.size:
        raise Trouble("too_large", "more bytes than were announced")
    wanted = tus.wanted_checksum()
    digest = hashlib.new(wanted[0], usedforsecurity=False) if wanted else None

    def check() -> None:
        if digest is not None and wanted is not None and digest.digest() != wanted[1]:
            raise Trouble("checksum_mismatch")

    try:
        return use_case.append(upload, offset, tus.blocks(), digest, check)
    except use_case.Interrupted:
        raise Trouble("bad_request", "the connection broke") from None


def _concatenated(concat: str) -> use_case.State:
    if "Upload-Length" in request.headers:
        raise Trouble("bad_request", "Upload-Length: a final upload has that of its parts")
    parts = [url.rstrip("/").rpartition("/")[2] for url in concat.partition(";")[2].split()]
    if not 0 < len(parts) <= tus.MOST_PARTS:
        raise Trouble("bad_request", f"Upload-Concat: 1 to {tus.MOST_PARTS} parts")
    return use_case.concatenate(holder(), tus.sha256_of_metadata(), parts, concat, tus.metadata())


def _progress(state: use_case.State, status: int) -> Response:
    headers = {"Upload-Offset": str(state.offset), "Upload-State": state.state}
    if state.state == "uploading":
        headers["Upload-Expires"] = formatdate(state.expires_at / 1000, usegmt=True)
    return Response("", status, headers)
