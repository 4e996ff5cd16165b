"""The JSON API of phones and programs: thin blueprints, OpenAPI from the schemas."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from shared import protocol


def register(app: Flask) -> None:
    """Add every API blueprint, and /api/v1/openapi.json with a page for people."""
    from server.api import docs, enrol, feedback, looks, photos, sync

    app.config.update(
        API_TITLE="网格台账 Gridledger",
        API_VERSION=f"v{protocol.VERSION}",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=protocol.PREFIX,
    )
    api = Api(app)
    for module in (enrol, sync, photos, feedback, looks):
        api.register_blueprint(module.blueprint)
    docs.register(app, api)
