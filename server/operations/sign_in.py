"""Signing in on the web."""

from __future__ import annotations

from argon2 import PasswordHasher

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash of a password, as text."""
    return _hasher.hash(password)
