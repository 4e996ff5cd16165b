"""What a phone says of itself at a pull, kept in one statement that also knows its token."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, text

from server.storage.database import Json, jotting

_NOTE = """
    UPDATE device SET last_contact_at = :now, waiting = :waiting, clock_offset = :clock_offset,
      app = coalesce(:app, app),
      confirmed = CASE WHEN :confirmed BETWEEN confirmed AND last_dseq THEN :confirmed
                  ELSE confirmed END
    WHERE token_hash = :token_hash AND revoked_at IS NULL
      AND EXISTS (SELECT 1 FROM account WHERE account.id = device.user_id AND account.active)
      {unhurried} RETURNING id
"""
_waiting = bindparam("waiting", type_=Json)
# On PostgreSQL the statement says itself that its commit waits for no disk.
_UNHURRIED = "AND set_config('synchronous_commit', 'off', true) = 'off'"
_STATEMENTS = {
    "sqlite": text(_NOTE.format(unhurried="")).bindparams(_waiting),
    "postgresql": text(_NOTE.format(unhurried=_UNHURRIED)).bindparams(_waiting),
}


def note(connection: Connection, token_hash: str, header: dict[str, Any], now: int) -> str | None:
    """Keep it for the device that holds a token, if it may pull; returns the device's id."""
    said = {
        "now": now,
        "waiting": header["waiting"],
        "clock_offset": header["clock"]["wall"] - now,
        "app": header.get("app") or None,
        "confirmed": header.get("confirmed", 0),
        "token_hash": token_hash,
    }
    with jotting(connection):
        found: str | None = connection.execute(_STATEMENTS[connection.dialect.name], said).scalar()
    return found
