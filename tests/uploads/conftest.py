"""Both stores: photos in a folder beside SQLite, in a real object store beside PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from server.config import Config


@pytest.fixture
def config(config: Config, database: str, request: pytest.FixtureRequest) -> Config:
    """The configuration of a server with a fresh database and a store of its own."""
    url = request.getfixturevalue("s3") if database == "postgresql" else ""
    return replace(config, blobs_url=url)


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()
