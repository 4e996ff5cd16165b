"""Enrolment: a one-time code becomes a device with a token; tokens are kept hashed."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from server.errors import Trouble
from server.operations.audit_log import record
from server.operations.clock import now_ms
from server.storage import direct, glance
from server.storage.database import db, write
from server.storage.glance import Holder
from server.storage.settings import epoch
from server.storage.tables import Device, Enrolment, User
from shared import ids


def hash_secret(text: str) -> str:
    """SHA-256 of a token or code: these are random, so that a slow hash adds nothing."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain_code(typed: str) -> str:
    """A code as it was made, however it was typed: case, spaces and dashes do not matter."""
    return "".join(c for c in typed.upper() if c.isalnum())


def enrol(
    code: str, name: str, app: str = "", device_id: str | None = None, address: str = ""
) -> dict[str, Any]:
    """Use a code up and make its device; returns an EnrolAnswer.

    A phone that comes with ``device_id`` keeps that identity if it was revoked (its old token stops
    working) or is not known any more, after a restore. Where the identity is in use, a copy of the
    phone may be asking: it gets another one, or the two would take each other's token for ever.
    Raises Trouble code_invalid or code_expired.
    """
    now = now_ms()
    with write() as session:
        found = session.get(
            Enrolment, hash_secret(plain_code(code)), with_for_update=True, populate_existing=True
        )
        if found is None or found.used_at is not None:
            raise Trouble("code_invalid")
        if found.expires_at < now:
            raise Trouble("code_expired")
        user = session.get(User, found.user_id)
        if user is None or not user.active:
            raise Trouble("code_invalid")
        device = session.get(Device, device_id) if device_id else None
        if device is not None and (
            device.user_id != user.id or device.kind != "phone" or device.revoked_at is None
        ):
            device = None
        token = secrets.token_urlsafe(32)
        if device is None:
            device = new_device(user.id, name, token, app, now)
            if device_id and _is_phones(device_id) and session.get(Device, device_id) is None:
                device.id = device_id  # known before a restore: its journal goes on
            session.add(device)
        else:
            device.token_hash, device.revoked_at, device.name = hash_secret(token), None, name
        found.used_at, found.device_id = now, device.id
        record(session, user.id, "device.enrol", device.id, user.area_code, {"name": name}, address)
        return _answer(device, user, token, epoch(session), now)


def new_identity(device_id: str) -> dict[str, Any]:
    """A new device for a cloned or rebuilt store of the same person; the old one stays as it is.

    The old token stays valid: the other of two clones still has it.
    """
    now = now_ms()
    with write() as session:
        old = session.get(Device, device_id)
        user = session.get(User, old.user_id) if old else None
        if old is None or user is None:
            raise Trouble("token_unknown")
        token = secrets.token_urlsafe(32)
        device = new_device(user.id, old.name, token, old.app or "", now)
        session.add(device)
        record(session, user.id, "device.identity", device.id, user.area_code, {"from": old.id})
        return _answer(device, user, token, epoch(session), now)


def _is_phones(device_id: str) -> bool:
    """Whether an id can be a phone's: a UUIDv7. Those of the server's own devices are v5."""
    return ids.is_id(device_id) and device_id[14] == "7"


def new_device(user_id: str, name: str, token: str, app: str, now: int) -> Device:
    """A phone that nothing has come from yet."""
    return Device(
        id=ids.new_id(), user_id=user_id, kind="phone", name=name, token_hash=hash_secret(token),
        last_dseq=0, running="", created_at=now, app=app, confirmed=0,
    )  # fmt: skip


def device_of(token: str, escrow: bool = False) -> Device:
    """The device that holds a token; raises Trouble as `device_id_of`."""
    device = db.session.get(Device, device_id_of(token, escrow), populate_existing=True)
    if device is None:
        raise Trouble("token_unknown")
    return device


def device_id_of(token: str, escrow: bool = False) -> str:
    """The id of the device that holds a token; raises Trouble as `holder_of`."""
    return holder_of(token, escrow).id


def holder_of(token: str, escrow: bool = False) -> Holder:
    """The device that holds a token, and whose it is; raises Trouble token_unknown or
    token_revoked.

    With ``escrow`` a revoked one passes: what it still holds is taken into quarantine, and the
    photos that declares; it may do nothing else.
    """
    with direct.connection(db.engine) as raw:
        found = glance.holder(raw, db.engine.dialect.name, hash_secret(token))
    if found is None:
        raise Trouble("token_unknown")
    if not escrow and not found.may_come_in:
        raise Trouble("token_revoked")
    return found


def _answer(device: Device, user: User, token: str, current: str, now: int) -> dict[str, Any]:
    return {
        "device_id": device.id,
        "token": token,
        "user": {
            "id": user.id,
            "name": user.name,
            "role": user.role,
            "area_code": user.area_code,
        },
        "epoch": current,
        "last_dseq": device.last_dseq,
        "server_time": now,
    }
