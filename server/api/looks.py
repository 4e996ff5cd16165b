"""Looks at covered details, told by the phones (docs/protocol.md)."""

from __future__ import annotations

from flask import request
from flask_smorest import Blueprint

from server.api.body import device, device_needed, json_body
from server.operations import look as operation
from shared import protocol, schemas

blueprint = Blueprint("looks", __name__, url_prefix=protocol.PREFIX, description="查看记录 Looks")


@blueprint.post("/looks")
@blueprint.doc(requestBody={"content": {"application/json": {"schema": schemas.LooksRequest}}})
@blueprint.response(200, schemas.LooksAnswer)
@device_needed
def tell() -> dict[str, int]:
    """Tell whose covered details were opened on the phone, and when."""
    body = json_body(schemas.LooksRequest())
    return {"noted": operation.by_phone(device().id, body["items"], request.remote_addr)}
