"""Exports of what a list shows: XLSX, CSV, GeoJSON."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("exports", __name__)
