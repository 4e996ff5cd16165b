"""Who may sign in to a demo: its description stands in the data folder (`gridledger demo`).

Names and places alone: the passwords were told in the terminal, and stay there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import current_app

from server.web import words

DESCRIPTION = "demo.json"
ROLES = ("admin", "supervisor", "handler", "auditor")
SHOWN = 9  # a large demo has hundreds


@dataclass(frozen=True)
class Account:
    """One that a visitor of the demo may use: its user name, who that is, where they belong."""

    username: str
    name: str
    role: str
    where: str


def listed() -> list[Account]:
    """The accounts of the demo that this server serves; none anywhere else."""
    path = current_app.config["GRIDLEDGER"].data / DESCRIPTION
    try:
        people: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["accounts"]
    except (OSError, ValueError, LookupError):
        return []
    found = [one for role in ROLES for one in people if one["role"] == role]
    return [_account(one) for one in found[:SHOWN]]


def _account(one: dict[str, Any]) -> Account:
    where = one.get("where") or ["", ""]
    role = words.choice("ROLES", one["role"])
    return Account(one["username"], one["name"], role, where[words.english()])
