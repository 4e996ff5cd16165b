"""Complaints and suggestions from the phones (docs/protocol.md)."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from server.api.body import device, device_needed, json_body
from server.operations import feedback as operation
from shared import protocol, schemas

blueprint = Blueprint(
    "feedback", __name__, url_prefix=protocol.PREFIX, description="投诉建议 Feedback"
)


@blueprint.post("/feedback")
@blueprint.doc(requestBody={"content": {"application/json": {"schema": schemas.FeedbackRequest}}})
@blueprint.response(200, schemas.FeedbackAnswer)
@device_needed
def give() -> dict[str, Any]:
    """Hand in complaints and suggestions, and hear what was answered to earlier ones."""
    body = json_body(schemas.FeedbackRequest())
    return operation.take(device().id, body["items"], body["ask"])
