"""Sign in and out of the web pages: passwords, and the pause after wrong ones."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, update

from server.operations import audit_log
from server.operations.clock import now_ms
from server.storage.database import db, write
from server.storage.tables import User

ATTEMPTS = 5
LOCK_MS = 10 * 60 * 1000

_hasher = PasswordHasher()
# What an unknown name is checked against, so that it takes as long as a known one.
_nobody: str | None = None


class SignInFailed(Exception):
    """Wrong name, wrong password, locked or closed account: the person is not told which."""


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(password)


def authenticate(username: str, password: str, address: str | None) -> User:
    """The active account with this name and password; counts wrong tries. Raises SignInFailed.

    The hash is computed outside the transaction that writes. ``address`` goes to the audit log.
    """
    user = db.session().scalar(select(User).where(User.username == username.strip()))
    stored = user.password_hash if user is not None else None
    right = _verify(stored, password)
    fresh = hash_password(password) if right and _hasher.check_needs_rehash(stored or "") else None
    if user is None:
        with write() as session:
            audit_log.record(session, None, "sign_in_failed", address=address)
        raise SignInFailed
    with write() as session:
        now = now_ms()
        current = session.get(User, user.id, populate_existing=True)
        open_now = current is not None and current.active and (current.locked_until or 0) <= now
        if current is not None and right and open_now:
            current.failures = 0
            current.locked_until = None
            if fresh and current.password_hash == stored:
                current.password_hash = fresh
            audit_log.record(session, user.id, "sign_in", area_code=user.area_code, address=address)
            return current
        if open_now:
            _count_failure(user.id, now)
        audit_log.record(
            session, user.id, "sign_in_failed", area_code=user.area_code, address=address
        )
    raise SignInFailed


def leave(user_id: str, address: str | None, *, idle: bool = False) -> None:
    """Note in the audit log that a person signed out, or was signed out for being idle."""
    with write() as session:
        audit_log.record(session, user_id, "idle_sign_out" if idle else "sign_out", address=address)


def _verify(stored: str | None, password: str) -> bool:
    global _nobody
    if stored is None:
        _nobody = _nobody or hash_password("nobody")
    try:
        _hasher.verify(stored or _nobody or "", password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _count_failure(user_id: str, now: int) -> None:
    """One more wrong try; the fifth starts the pause and the count anew."""
    session = db.session()
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(failures=User.failures + 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(User)
        .where(User.id == user_id, User.failures >= ATTEMPTS)
        .values(failures=0, locked_until=now + LOCK_MS)
        .execution_options(synchronize_session=False)
    )
