"""Enrolment of phones, and a new identity for a cloned one."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_smorest import Blueprint

from server.api.body import device, device_needed, json_body
from server.operations import enrol as use_case
from server.operations import sealing
from shared import protocol, schemas

blueprint = Blueprint(
    "enrol", __name__, url_prefix=protocol.PREFIX, description="登记手机 Enrolment"
)
MAX_BODY = 16 * 2**10  # anybody may send one: little is read for strangers


@blueprint.post("/enrol")
@blueprint.doc(requestBody={"content": {"application/json": {"schema": schemas.EnrolRequest}}})
@blueprint.response(200, schemas.EnrolAnswer)
def enrol() -> dict[str, Any]:
    """Use up a one-time code: the phone gets its identity and token."""
    body = json_body(schemas.EnrolRequest(), most=MAX_BODY)
    return use_case.enrol(
        body["code"],
        body["name"],
        body.get("app", ""),
        body.get("device_id"),
        request.remote_addr or "",
    )


@blueprint.post("/identity")
@blueprint.response(200, schemas.EnrolAnswer)
@device_needed
def identity() -> dict[str, Any]:
    """A new identity for a phone whose store was cloned or rebuilt."""
    return use_case.new_identity(device().id)


@blueprint.get("/unsent-key")
@blueprint.response(200, schemas.UnsentKeyAnswer)
@device_needed
def unsent_key() -> dict[str, str]:
    """The key for which a phone seals a file of what it could not send."""
    return {"key": sealing.public_key()}
