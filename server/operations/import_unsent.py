"""Import of unsent work: what a phone could not send, from its file, by the road of every push.

The file carries the phone's own token, sealed for this server: it speaks for its device and for no
other. A transaction is known by its id, so that one that came before, or comes again from the
phone itself, gets its first answer and nothing is done twice.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import struct
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select

from server.errors import Trouble
from server.operations import accounts, audit_log, feedback, push, sealing, upload
from server.operations.clock import now_ms
from server.operations.enrol import device_of, new_device
from server.operations.verify import FINAL
from server.storage.database import any_of, db, write
from server.storage.tables import Blob, Device, Receipt, User
from shared import protocol, unsent

MOST = 64 * 2**20  # bytes of the sealed texts
HEAD = 2**16  # bytes of what stands in the open
_NAME = re.compile("[0-9a-f]{64}")
# What zipfile raises for a file that somebody changed: a compression it does not know, a password.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError, RuntimeError, struct.error,
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One transaction of the file. ``before``: it was here already; ``result`` None: not yet."""

    id: str
    made_at: int
    title_zh: str
    title_en: str
    before: bool
    result: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Begun:
    """A draft: begun on the phone, never saved, so that it is no record yet. ``photos``: sha256."""

    key: str
    kept_at: int
    values: Mapping[str, Any]
    photos: tuple[str, ...]


@dataclass
class Report:
    """What is in a file, and what became of it. ``photos``: sha256 -> state, or a code."""

    person: str
    device: str
    made_at: int
    revoked: bool = False
    entries: list[Entry] = field(default_factory=list)
    photos: dict[str, str] = field(default_factory=dict)
    gaps: int = 0
    feedback: int = 0
    drafts: list[Begun] = field(default_factory=list)


class Work:
    """An opened file."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._cipher = _cipher(file)
        try:
            self.said: dict[str, Any] = json.loads(self._open(unsent.WORK_FILE))
            self.lines = [_line(one) for one in self.said["lines"]]
            self.titles: Mapping[str, Sequence[str]] = dict(self.said["titles"])
            self.photos = [(str(one[0]), int(one[1])) for one in self.said["photos"]]
            self.drafts = [_begun(one) for one in self.said.get("drafts") or ()]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise _broken(str(error)) from error

    def has_photo(self, sha256: str) -> bool:
        """Whether it came along: a phone may have lost the file of one."""
        return f"{unsent.PHOTOS}{sha256}" in self._file.namelist()

    def photo(self, sha256: str) -> bytes:
        """A photo's bytes. Raises Trouble."""
        data = self._open(f"{unsent.PHOTOS}{sha256}")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _broken(sha256)
        return data

    def _open(self, name: str) -> bytes:
        try:
            if self._file.getinfo(name).file_size > MOST:
                raise _broken(f"{name} is too large")
            sealed = self._file.read(name)
            return self._cipher.decrypt(
                sealed[: unsent.NONCE], sealed[unsent.NONCE :], name.encode()
            )
        except (*_UNREADABLE, InvalidTag) as error:
            raise _broken(f"{name}: {type(error).__name__}") from error


def _begun(raw: Any) -> Begun:
    photos = tuple(str(one) for one in raw["photos"])
    if not all(_NAME.fullmatch(one) for one in photos):
        raise ValueError("a photo has no name of its own")
    return Begun(str(raw["key"]), int(raw["kept_at"]), dict(raw["values"]), photos)


def _line(raw: Any) -> list[Any]:
    if not isinstance(raw, list) or len(raw) != 3 or not isinstance(raw[0], int):
        raise ValueError("a line is not [dseq, id, text]")
    return raw


def _cipher(file: zipfile.ZipFile) -> AESGCM:
    try:
        if file.getinfo(unsent.SEALED).file_size > HEAD:
            raise ValueError("too large")
        head = json.loads(file.read(unsent.SEALED))
        theirs, wanted, version = b64decode(head["key"]), head["for"], head["v"]
        peer = X25519PublicKey.from_public_bytes(theirs)
    except (*_UNREADABLE, ValueError, TypeError) as error:
        raise _broken(unsent.SEALED) from error
    if version != unsent.VERSION:
        raise Trouble(
            "bad_request",
            "文件来自更新的版本，请先升级服务器 / A newer version's file: update the server",
        )
    key = sealing.private_key()
    if wanted != unsent.key_name(key.public_key().public_bytes_raw()):
        raise Trouble(
            "forbidden",
            "这个文件是给另一台服务器的，这里打不开 / This file was sealed for another server",
        )
    try:
        agreed = key.exchange(peer)
    except ValueError as error:  # a key of the file's that agrees on nothing secret
        raise _broken(unsent.SEALED) from error
    derived = HKDF(SHA256(), 32, None, unsent.INFO).derive(agreed)
    return AESGCM(derived)


def _broken(detail: str) -> Trouble:
    return Trouble(
        "bad_request",
        f"文件不完整或被改动过，请从手机重新导出（{detail}） / "
        f"The file is cut or was changed; export it again ({detail})",
    )


@contextmanager
def opened(path: Path) -> Iterator[Work]:
    """A file of unsent work. Raises Trouble where it is none, is damaged or another server's."""
    try:
        file = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise _broken(path.name) from error
    with file:
        yield Work(file)


def import_unsent(path: Path, *, dry_run: bool = False, person: str | None = None) -> Report:
    """Take in a file. ``person``: whose it is, where the server does not know the phone.

    What comes from a revoked phone, or from one that is not known, goes into quarantine for a
    supervisor to decide, as if the phone handed it in. Raises Trouble.
    """
    with opened(path) as work:
        device, owner = _sender(work, person)
        report = Report(
            owner.name, device.name if device else "?", int(work.said["made_at"]),
            revoked=device is None or device.revoked_at is not None or not owner.active,
            gaps=sum(one[1] is None for one in work.lines), feedback=len(work.said["feedback"]),
            drafts=work.drafts,
        )  # fmt: skip
        before = _known([one[1] for one in work.lines if one[1]])
        answers: dict[str, Any] = {}
        if not dry_run:
            device, answers = _push(work, device, owner, before)
            if work.said["feedback"] and not report.revoked:
                feedback.take(device.id, work.said["feedback"], [])
        report.entries = [
            _entry(work, one, one[1] in before, answers.get(one[1])) for one in work.lines if one[1]
        ]
        for sha256, size in work.photos:
            state = _state(sha256)
            if state not in FINAL and not dry_run and device is not None:
                state = _photo(device, sha256, size, work)
            report.photos[sha256] = state
        if not dry_run:
            _note(device, owner, report)
        return report


def save_drafts(path: Path, into: Path) -> None:
    """Put what was begun and not saved into a folder, for the one who began it. Raises Trouble."""
    with opened(path) as work:
        into.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(work.drafts, start=1):
            text = json.dumps(asdict(one), ensure_ascii=False, indent=2)
            (into / f"draft-{number}.json").write_text(text, "utf-8")
            for sha256 in filter(work.has_photo, one.photos):
                (into / f"{sha256}.jpg").write_bytes(work.photo(sha256))


def _sender(work: Work, person: str | None) -> tuple[Device | None, User]:
    """Whose work it is: by the token in the file; else ``person``, without a device."""
    try:
        device = device_of(str(work.said["token"]), escrow=True)
    except Trouble:
        if person is None:
            told = work.said.get("person") or {}
            raise Trouble(
                "token_unknown",
                f"服务器不认识这部手机（{told.get('name') or '?'}）。确认是谁的以后加 --as 用户名，"
                "内容会进隔离区由网格长定夺 / This phone is not known here. Add --as USERNAME once "
                "you know whose it is; a supervisor then decides about it",
            ) from None
        return None, accounts.find_user(person)
    user = db.session.get(User, device.user_id)
    assert user is not None
    return device, user


def _push(
    work: Work, device: Device | None, owner: User, before: set[str]
) -> tuple[Device, dict[str, Any]]:
    """The lines as that device's own pushes; as another device's where its numbers do not fit."""
    if device is not None and device.id == work.said["device_id"]:
        try:
            return device, _sent(device, work.lines)
        except Trouble as trouble:
            if trouble.code not in ("identity_needed", "dseq_gap"):
                raise
    fresh = [one for one in work.lines if one[1] and one[1] not in before]
    if device is not None and not fresh:
        return device, {}
    other = _other_device(device, owner)
    return other, _sent(other, [[n, one[1], one[2]] for n, one in enumerate(fresh, start=1)])


def _other_device(old: Device | None, owner: User) -> Device:
    """A device of its own for this file, as revoked as the phone is."""
    now = now_ms()
    name = old.name if old else "导入 / import"
    device = new_device(
        owner.id, name, secrets.token_urlsafe(32), (old.app if old else "") or "", now
    )
    device.revoked_at = old.revoked_at if old else now
    with write() as session:
        session.add(device)
        detail = {"from": old.id if old else None}
        audit_log.record(session, None, "device.identity", device.id, owner.area_code, detail)
    return device


def _sent(device: Device, lines: Sequence[list[Any]]) -> dict[str, Any]:
    """Push them in their order; the answers by id."""
    answers: dict[str, Any] = {}
    for start in range(0, len(lines), protocol.PUSH_BATCH):
        part = lines[start : start + protocol.PUSH_BATCH]
        incoming = push.lines_of(part)
        for answer in push.push(device.id, None, incoming)["answers"]:
            answers[answer["id"]] = answer
    return answers


def _known(names: Sequence[str]) -> set[str]:
    session = db.session()
    found: set[str] = set()
    for start in range(0, len(names), 500):
        part = list(names[start : start + 500])
        found |= set(session.scalars(select(Receipt.id).where(any_of(session, Receipt.id, part))))
    return found


def _entry(work: Work, line: Sequence[Any], before: bool, answer: Any) -> Entry:
    try:
        made_at = int(json.loads(line[2])["made_at"])
    except (ValueError, KeyError, TypeError):
        made_at = 0
    zh, en = (*work.titles.get(line[1], ()), "?", "?")[:2]
    said = answer or {}
    return Entry(line[1], made_at, zh, en, before, said.get("result"), said.get("code"))


def _state(sha256: str) -> str:
    """What the store knows of a photo: verified, refused, or that it is missing."""
    db.session.rollback()
    blob = db.session.get(Blob, sha256)
    return blob.state if blob is not None and blob.state in FINAL else "missing"


def _photo(device: Device, sha256: str, size: int, work: Work) -> str:
    """Upload one as the phone would; its state, or the code of what stood in the way."""
    try:
        begun = upload.create(device, sha256, size)
        if begun.state in FINAL:
            return begun.state
        found = upload.find(device, begun.id)
        return upload.append(found, begun.offset, [work.photo(sha256)]).state
    except Trouble as trouble:
        return trouble.code


def _note(device: Device | None, owner: User, report: Report) -> None:
    detail = {
        "records": len(report.entries),
        "created": sum(not one.before for one in report.entries),
        "photos": len(report.photos),
        "drafts": len(report.drafts),
    }
    with write() as session:
        target = device.id if device else None
        audit_log.record(session, None, "import_unsent", target, owner.area_code, detail)
