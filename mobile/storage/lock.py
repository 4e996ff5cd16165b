"""The PIN: six digits, five tries, then sign in again. It opens the app, it seals nothing.

It keeps a person who picks up the phone from looking. What keeps the files from being read is the
vault; its key does not hang on the PIN, so that a forgotten PIN never costs unsent work.
A try is on the disk before it is looked at, so that ending the app gives none back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobile.core.errors import PhoneError
from mobile.storage import files
from mobile.storage.vault import Vault

FILE = "lock.json"
TRIES = 5
DIGITS = 6
# About 60 ms on a desktop, a few tenths of a second on a cheap phone, 16 MB.
COST = {"n": 2**14, "r": 8, "p": 1}
_PLAIN = ("0123456789", "9876543210")


class PinRefused(PhoneError):
    """The PIN is not six digits, or the first that anybody would try."""


@dataclass(frozen=True)
class Lock:
    """Whose store it is, and how it is locked. ``out``: no try is left, sign in again."""

    name: str = ""
    has_pin: bool = False
    tries_left: int = TRIES
    looks: tuple[str, str, str] = ("zh", "day", "1.0")  # language, palette, size of text

    @property
    def out(self) -> bool:
        """Whether only a new enrolment code helps."""
        return self.tries_left <= 0


def state(folder: Path) -> Lock | None:
    """The lock of the store in a folder; None where nobody's name was ever noted."""
    found = _read(folder)
    if found is None:
        return None
    return _lock(found)


def note(folder: Path, name: str, looks: tuple[str, str, str]) -> None:
    """Note whose store it is and how it is drawn, for the start. Raises OSError."""
    found = _read(folder) or _NEW
    if (found["name"], found["looks"]) != (name, list(looks)) or not (folder / FILE).exists():
        _write(folder, found | {"name": name, "looks": list(looks)})


def check_pin(pin: str) -> None:
    """Raises PinRefused."""
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", pin):
        raise PinRefused("pin_digits", "密码是六位数字", "The PIN is six digits")
    if len(set(pin)) == 1 or any(pin in plain for plain in _PLAIN):
        raise PinRefused("pin_plain", "太容易猜到，请换一个", "Too easy to guess; choose another")


def set_pin(folder: Path, vault: Vault, pin: str) -> None:
    """Set or change the PIN. Slow: not on the Kivy thread. Raises PinRefused, OSError."""
    check_pin(pin)
    salt = os.urandom(16)
    kept = {"salt": _b64(salt), "hash": _b64(_hash(pin, salt, COST)), **COST}
    sealed = vault.seal(json.dumps(kept))
    _write(folder, (_read(folder) or _NEW) | {"pin": sealed, "tries": 0})


def clear_pin(folder: Path) -> None:
    """No PIN any more, and all tries again: signed in anew, or taken away. Raises OSError."""
    found = _read(folder)
    if found is not None:
        _write(folder, found | {"pin": "", "tries": 0})


def unlock(folder: Path, vault: Vault, pin: str) -> Lock:
    """Try a PIN; the lock as it is then: ``tries_left`` is TRIES if it was right.

    Slow: not on the Kivy thread. Raises OSError.
    """
    found = _read(folder)
    if found is None or not found["pin"]:
        return state(folder) or Lock()
    if int(found["tries"]) >= TRIES:
        return _lock(found)
    found["tries"] = int(found["tries"]) + 1
    _write(folder, found)
    if _fits(vault, found["pin"], pin):
        found["tries"] = 0
        _write(folder, found)
    return _lock(found)


def remove(folder: Path) -> None:
    """Nobody's store any more."""
    (folder / FILE).unlink(missing_ok=True)


_NEW: dict[str, Any] = {
    "v": 1, "name": "", "pin": "", "tries": 0, "looks": ["zh", "day", "1.0"],
}  # fmt: skip


def _lock(found: dict[str, Any]) -> Lock:
    language, palette, size = map(str, found["looks"])
    left = max(0, TRIES - int(found["tries"]))
    return Lock(str(found["name"]), bool(found["pin"]), left, (language, palette, size))


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    with suppress(ValueError, KeyError, TypeError):
        found = {**_NEW, **json.loads(text)}
        _lock(found)
        return found
    return _NEW | {"pin": "?", "tries": TRIES}  # damaged: nobody may come in by that


def _write(folder: Path, found: dict[str, Any]) -> None:
    files.write(folder / FILE, json.dumps(found, ensure_ascii=False).encode())


def _fits(vault: Vault, sealed: str, pin: str) -> bool:
    with suppress(ValueError, KeyError, TypeError):
        kept = json.loads(str(vault.unseal(sealed)))
        cost = {name: int(kept[name]) for name in COST}
        found = _hash(pin, base64.b64decode(kept["salt"]), cost)
        return hmac.compare_digest(found, base64.b64decode(kept["hash"]))
    return False


def _hash(pin: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, maxmem=2**26, dklen=32, **cost)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
