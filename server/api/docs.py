"""The OpenAPI description of the API as a page that a person can read."""

from __future__ import annotations

from flask import Flask, Response
from flask_smorest import Api
from markupsafe import Markup, escape

from shared import protocol


def register(app: Flask, api: Api) -> None:
    """Add /api/v1/ : every endpoint with what it does, made from the OpenAPI description."""

    @app.get(f"{protocol.PREFIX}/")
    def api_page() -> Response:
        """This page."""
        spec = api.spec.to_dict()
        rows = Markup().join(
            Markup("<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>").format(
                method.upper(), path, details.get("summary", "")
            )
            for path, methods in sorted(spec["paths"].items())
            for method, details in methods.items()
            if isinstance(details, dict)
        )
        codes = Markup().join(
            Markup("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>").format(
                code, known.status, known.zh, known.en
            )
            for code, known in protocol.REQUEST_CODES.items()
        )
        page = Markup(
            "<!doctype html><html lang=zh><meta charset=utf-8>"
            "<meta name=viewport content='width=device-width'><title>{title}</title>"
            "<h1>{title} v1</h1><p><a href={url}>openapi.json</a></p>"
            "<table><tr><th>方法<th>路径<th>说明 / What it does</tr>{rows}</table>"
            "<h2>错误代码 / Error codes</h2>"
            "<table><tr><th>code<th>HTTP<th>中文<th>English</tr>{codes}</table></html>"
        ).format(
            title=escape(app.config["API_TITLE"]), url=protocol.OPENAPI, rows=rows, codes=codes
        )
        return Response(page, mimetype="text/html")
