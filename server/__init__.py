"""The server: `create_app` makes the Flask application, and nothing else is here."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from server.application import Application, Sessions
from server.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def create_app(config: Config | None = None) -> Flask:
    """The application for one configuration; the database must have been upgraded already."""
    from server import api, errors, logs, web
    from server.storage import blobs, database, ledger_tables, models, tables  # noqa: F401 - tables
    from shared import protocol

    logs.configure()
    config = config or Config.from_environment()
    app = Application("server", static_folder=None)
    app.session_interface = Sessions()
    app.config.update(
        GRIDLEDGER=config,
        SECRET_KEY=config.key(),
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url(),
        MAX_CONTENT_LENGTH=protocol.MAX_COMPRESSED,
        MAX_FORM_MEMORY_SIZE=protocol.MAX_COMPRESSED,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        TESTING=config.testing,
    )
    if config.proxies:
        hops = config.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    if config.sqlalchemy_url().startswith("sqlite"):
        config.data.mkdir(parents=True, exist_ok=True)
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 30}}
    else:
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 16}
    database.db.init_app(app)
    Migrate(app, database.db, directory=str(MIGRATIONS), compare_type=True)
    blobs.register(app, config)
    api.register(app)
    web.register(app)
    errors.register(app)  # last: flask-smorest brings an error shape of its own
    return app
