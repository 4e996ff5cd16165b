"""The file of unsent work, for the worst case: no network for weeks, a phone about to die.

It holds what the server has not answered, as the wire has it, and every photo that is not safe
there, sealed for the server: whoever carries it can read nothing. Its shape is in `shared.unsent`.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mobile.core.errors import SaveFailed
from mobile.storage import drafts, feedback, meta, photos, status
from mobile.storage.store import failure
from mobile.storage.vault import Vault
from shared import checksum, unsent

KEY = "unsent_key"  # in meta: the server's public key, base64
NAME = "unsent-"  # how such a file's name begins
README = """\
网格台账：手机上还没有上传的内容
Gridledger: what a phone could not send yet

{made} UTC · {n} 条记录，{m} 张照片 / {n} records, {m} photos · {d} 份草稿 / drafts
服务器 / server: {server}

内容已加密，只有上面的服务器能打开。请把这个文件原样交给网格长或系统管理员。
管理员在服务器上运行：
The content is sealed; only the server above can open it. Hand this file, as it is, to your
supervisor or to the administrator, who runs on the server:

  gridledger import-unsent {name} --dry-run
  gridledger import-unsent {name}

交过以后手机照常同步就行，不会重复。
The phone may go on syncing afterwards: nothing is taken twice.
"""


@dataclass(frozen=True)
class Exported:
    """A file that was made. ``missing``: photos whose file is not on the phone any more."""

    file: Path
    transactions: int
    photos: int
    missing: int = 0
    drafts: int = 0


def has_any(db: sqlite3.Connection) -> bool:
    """Whether there is anything to hand over."""
    found = db.execute(
        "SELECT EXISTS (SELECT 1 FROM journal WHERE result IS NULL AND gap IS NULL)"
        " OR EXISTS (SELECT 1 FROM photo WHERE verified_at IS NULL AND state != 'refused'"
        " AND removed_at IS NULL) OR EXISTS (SELECT 1 FROM feedback WHERE sent_at IS NULL)"
        " OR EXISTS (SELECT 1 FROM draft)"
    ).fetchone()
    return bool(found[0])


def write(db: sqlite3.Connection, folder: Path, vault: Vault, into: Path, now: int) -> Exported:
    """Make the file in the folder ``into``; former ones there go. ``folder`` has the photos.

    Raises SaveFailed: ``nothing``, ``no_key`` (the server never told its key), ``disk_full``.
    """
    if not has_any(db):
        raise SaveFailed("nothing", "没有未上传的内容，不用导出", "Nothing is unsent: no need")
    server_key = meta.get(db, KEY)
    if not server_key:
        raise SaveFailed(
            "no_key",
            "还没有拿到服务器的钥匙，导不出来。请在有网的地方同步一次再导出",
            "The server's key is not here yet: sync once where there is a network, then export",
        )
    moment = datetime.fromtimestamp(now / 1000, UTC)
    out = into / f"{NAME}{moment:%Y%m%d-%H%M%S}.zip"
    part = out.with_suffix(".part")
    try:
        into.mkdir(parents=True, exist_ok=True)
        clear(into)
        lines, titles = _lines(db)
        with zipfile.ZipFile(part, "w") as file:
            cipher = _begin(file, b64decode(server_key))
            taken, missing = [], 0
            for sha256, size in _photos(db):
                data = _picture(folder, vault, sha256)
                if data is None:
                    missing += 1
                    continue
                _seal(file, cipher, f"{unsent.PHOTOS}{sha256}", data)
                taken.append([sha256, size])
            begun = _drafts(db)
            for sha256 in {one for draft in begun for one in draft["photos"]}:
                data = _picture(folder, vault, sha256)
                if data is None:
                    missing += 1
                elif [sha256, len(data)] not in taken:
                    _seal(file, cipher, f"{unsent.PHOTOS}{sha256}", data)
            parts = {"lines": lines, "titles": titles, "photos": taken, "drafts": begun}
            work = _work(db, now) | parts
            _seal(file, cipher, unsent.WORK_FILE, json.dumps(work, ensure_ascii=False).encode())
            count = len(titles)
            said = README.format(
                made=f"{moment:%Y-%m-%d %H:%M}", n=count, m=len(taken), name=out.name,
                server=meta.get(db, "server"), d=len(begun),
            )  # fmt: skip
            file.writestr(unsent.README, said)
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        part.replace(out)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise failure(error) from error
    return Exported(out, count, len(taken), missing, len(begun))


def clear(into: Path) -> None:
    """Former files, whole or cut, go."""
    for path in into.glob(f"{NAME}*"):
        path.unlink(missing_ok=True)


def _begin(file: zipfile.ZipFile, server_key: bytes) -> AESGCM:
    own = X25519PrivateKey.generate()
    public = b64encode(own.public_key().public_bytes_raw()).decode()
    head = {"v": unsent.VERSION, "for": unsent.key_name(server_key), "key": public}
    file.writestr(unsent.SEALED, json.dumps(head))
    shared = own.exchange(X25519PublicKey.from_public_bytes(server_key))
    return AESGCM(HKDF(SHA256(), 32, None, unsent.INFO).derive(shared))


def _seal(file: zipfile.ZipFile, cipher: AESGCM, name: str, data: bytes) -> None:
    nonce = os.urandom(unsent.NONCE)
    file.writestr(name, nonce + cipher.encrypt(nonce, data, name.encode()))


def _work(db: sqlite3.Connection, now: int) -> dict[str, Any]:
    items, _ = feedback.batch(db)
    return {
        "v": unsent.VERSION,
        "device_id": meta.get(db, "device_id"),
        "token": meta.get(db, "token"),
        "person": {"id": meta.get(db, "user_id"), "name": meta.get(db, "user_name")},
        "server": meta.get(db, "server"),
        "made_at": now,
        "feedback": items,
    }


def _lines(db: sqlite3.Connection) -> tuple[list[list[Any]], dict[str, list[str]]]:
    """The lines that pushes would send, in their order, and what each transaction is called."""
    lines: list[list[Any]] = []
    titles: dict[str, list[str]] = {}
    for row in db.execute(
        "SELECT dseq, dseq_to, id, hash, gap, readable(text) AS text, readable(label) AS label"
        " FROM journal WHERE result IS NULL AND dseq > 0 ORDER BY dseq"
    ):
        text = row["text"]
        if row["gap"] or not isinstance(text, str) or checksum.text_hash(text) != row["hash"]:
            lost = {"to": row["dseq_to"], "reason": row["gap"] or "unreadable"}
            lines.append([row["dseq"], None, lost])
            continue
        lines.append([row["dseq"], row["id"], text])
        titles[row["id"]] = list(status.titles(row["label"] or "{}"))
    return lines, titles


def _drafts(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """What was begun and not saved: nobody but its writer can finish it."""
    return [
        {
            "key": draft.key,
            "kept_at": draft.kept_at,
            "values": draft.values,
            "photos": [one.photo.sha256 for one in draft.photos],
        }
        for draft in drafts.every(db)
    ]


def _photos(db: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    yield from db.execute(
        "SELECT sha256, size FROM photo WHERE verified_at IS NULL AND state != 'refused'"
        " AND removed_at IS NULL ORDER BY n, sha256"
    ).fetchall()


def _picture(folder: Path, vault: Vault, sha256: str) -> bytes | None:
    """A photo's own bytes, None where they are not here whole."""
    with suppress(OSError, ValueError):
        return vault.unseal_photo(photos.path_of(folder, sha256).read_bytes())
    return None
