"""The vault: what people said and who they are cannot be read out of the phone's files.

Every store has a random data key. It lies beside the database, wrapped by a keeper: Android's
Keystore on a phone, a file of this user's on a desktop. Texts, the token and photos are sealed
with it by AES-256-GCM, each under a nonce of its own.

A sealed text is ``~`` and base64; a sealed record is its JSON with the members that tables and
indices need in the open, and the whole of it sealed under the first member ``~``. What is not
sealed is read as it stands, so that an older app's rows and those of public kinds need no mark.
"""

from __future__ import annotations

import json
import os
import sqlite3
from base64 import b64decode, b64encode
from binascii import a2b_base64, b2a_base64
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mobile.core.errors import SaveFailed
from mobile.storage import files

KEY_FILES = ("key.json", "key.copy.json")  # the same twice: losing the key loses everything
DEVICE_KEY = "device.key"
PHOTO_MARK = b"GLP1"
_NONCE = 12
SEALED_DOC = '{"~":"'
Value = str | bytes | int | float | None  # as SQLite has it


class Keeper(Protocol):
    """Wraps a store's data key with a key that does not leave its place."""

    name: str

    def wrap(self, key: bytes) -> bytes:
        """The key, unreadable without this keeper."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key again. Raises ValueError where it was wrapped by another one."""


class FileKeeper:
    """A key in a file that only this user may read. It guards copies of the store, no more."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def wrap(self, key: bytes) -> bytes:
        """`Keeper.wrap`."""
        return Cipher(self._key(make=True)).seal(key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """`Keeper.unwrap`."""
        return Cipher(self._key(make=False)).unseal(wrapped)

    def _key(self, make: bool) -> bytes:
        try:
            key = self._path.read_bytes()
        except FileNotFoundError:
            if not make:
                raise ValueError(f"{self._path} is missing") from None
            key = os.urandom(32)
            files.write(self._path, key)  # mkstemp: readable by this user alone
        if len(key) != 32:
            raise ValueError(f"{self._path} is no key")
        return key


class Cipher:
    """AES-256-GCM with a nonce before what it seals."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plain: bytes) -> bytes:
        """Sealed bytes."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, plain, None)

    def unseal(self, sealed: bytes) -> bytes:
        """What was sealed. Raises ValueError for anything else."""
        try:
            return self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except InvalidTag:
            raise ValueError("not sealed with this key, or damaged") from None


class Vault:
    """A store's data key at work. May be used from any thread."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(key)

    def seal(self, text: str | None) -> str | None:
        """A text, sealed; an empty one as it is."""
        if not text:
            return text
        return "~" + b2a_base64(self._cipher.seal(text.encode()), newline=False).decode()

    def seal_doc(self, in_open: str | None, text: str | None) -> str | None:
        """A record's JSON, sealed beside a JSON object with what may be read; None: all may."""
        if in_open is None or text is None:
            return text
        sealed = b2a_base64(self._cipher.seal(text.encode()), newline=False).decode()
        rest = in_open[1:]
        return f'{SEALED_DOC}{sealed}"}}' if rest == "}" else f'{SEALED_DOC}{sealed}",{rest}'

    def unseal(self, text: Value) -> Value:
        """A text or a record as it was; what was never sealed, as it is. Raises ValueError."""
        if not isinstance(text, str):
            return text
        if text.startswith("~"):
            sealed = text[1:]
        elif text.startswith(SEALED_DOC):
            sealed = text[len(SEALED_DOC) : text.index('"', len(SEALED_DOC))]
        else:
            return text
        return self._cipher.unseal(a2b_base64(sealed)).decode()

    def readable(self, text: Value) -> Value:
        """The same; None for what cannot be unsealed."""
        try:
            return self.unseal(text)
        except ValueError:
            return None

    def seal_photo(self, data: bytes) -> bytes:
        """A picture as it lies on the disk."""
        return PHOTO_MARK + self._cipher.seal(data)

    def unseal_photo(self, data: bytes) -> bytes:
        """A picture from the disk, sealed or as an older app wrote it. Raises ValueError."""
        if not data.startswith(PHOTO_MARK):
            return data
        return self._cipher.unseal(data[len(PHOTO_MARK) :])

    def serve(self, db: sqlite3.Connection) -> None:
        """Give a connection the SQL functions ``seal``, ``seal_doc``, ``unseal``, ``readable``."""
        db.create_function("seal", 1, self.seal)
        db.create_function("seal_doc", 2, self.seal_doc)
        db.create_function("unseal", 1, self.unseal)
        db.create_function("readable", 1, self.readable)


def photo_size(size: int) -> int:
    """The bytes on the disk of a sealed picture of this size."""
    return len(PHOTO_MARK) + _NONCE + size + 16


def open_vault(folder: Path, keeper: Keeper) -> Vault:
    """The vault of the store in a folder, made where there is none.

    Raises SaveFailed(``key_lost``) where the key is there and cannot be unwrapped, OSError.
    """
    found, whole = False, []
    for name in KEY_FILES:
        with suppress(FileNotFoundError):
            text = (folder / name).read_bytes()
            found = True
            with suppress(ValueError, KeyError, TypeError):
                whole.append((name, b64decode(json.loads(text)["wrapped"], validate=True)))
    for name, wrapped in whole:
        with suppress(ValueError):
            key = keeper.unwrap(wrapped)
            if len(whole) < len(KEY_FILES):
                _keep(folder, keeper.name, wrapped, {name})
            return Vault(key)
    if found:
        raise SaveFailed(
            "key_lost",
            "本机资料的钥匙打不开（可能是资料被拷到了别的手机上）",
            "The key to this phone's data cannot be opened (was it copied from another phone?)",
        )
    key = os.urandom(32)
    _keep(folder, keeper.name, keeper.wrap(key), set())
    return Vault(key)


def _keep(folder: Path, by: str, wrapped: bytes, there: set[str]) -> None:
    text = json.dumps({"v": 1, "by": by, "wrapped": b64encode(wrapped).decode()})
    for name in KEY_FILES:
        if name not in there:
            files.write(folder / name, text.encode())


def destroy(folder: Path) -> None:
    """Throw the key away: nothing that was sealed with it can be read again. Raises OSError."""
    for name in KEY_FILES:
        (folder / name).unlink(missing_ok=True)
