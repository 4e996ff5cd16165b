"""The server's key for files of unsent work: phones seal with its public half.

It lies in the database, beside what it protects, and is in every backup: whoever has the database
needs no file of a phone's, and a file stays readable after a restore.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy.orm import Session

from server.storage.database import db, write
from server.storage.heads import insert_ignoring
from server.storage.tables import Setting

KEY = "unsent_key"


def private_key() -> X25519PrivateKey:
    """The key, made where there is none."""
    text = _kept(db.session())
    if text is None:
        with write() as session:
            fresh = b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode()
            statement = insert_ignoring(session, Setting.__table__)
            session.execute(statement.values(key=KEY, value=fresh))
            text = _kept(session)
    assert text is not None
    return X25519PrivateKey.from_private_bytes(b64decode(text))


def public_key() -> str:
    """Its public half, base64."""
    return b64encode(private_key().public_key().public_bytes_raw()).decode()


def _kept(session: Session) -> str | None:
    found = session.get(Setting, KEY)
    return None if found is None else found.value
