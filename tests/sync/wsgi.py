"""The phone's way to the application without a socket, and a line on it that may be bad."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import requests
from flask import Flask
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

ADDRESS = "http://server.test"


class Killed(BaseException):
    """The phone is gone in this moment; nothing of it goes on."""


class Direct(BaseAdapter):
    """Requests go straight into the WSGI application; bodies stay as they came, gzip too."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One request and its whole answer."""
        body = request.body
        builder = EnvironBuilder(
            path=request.path_url,
            method=request.method or "GET",
            headers=dict(request.headers),
            data=body.encode() if isinstance(body, str) else body or b"",
            base_url=ADDRESS,
        )
        try:
            pieces, status, headers = run_wsgi_app(self._app, builder.get_environ(), buffered=True)
        finally:
            builder.close()
        data = b"".join(pieces)
        raw = HTTPResponse(
            body=io.BytesIO(data),
            headers=dict(headers),
            status=int(status.split()[0]),
            preload_content=False,
            request_method=request.method,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


class Line(requests.Session):
    """A phone's line: ``fault`` is asked before a request goes out and after it was answered.

    It is called with ("before" | "after", path) and raises what happens, if anything does.
    """

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.mount(ADDRESS, Direct(app))
        self.fault: Callable[[str, str], None] | None = None

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """Send, unless something happens."""
        path = request.path_url
        if self.fault:
            self.fault("before", path)
        response = super().send(request, **more)
        if self.fault:
            self.fault("after", path)
        return response
