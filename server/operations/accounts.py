"""People, their grids and their phones: accounts, assignments, enrolment codes, revocation.

``by`` is the account of whoever does it, None for the command line on the server itself. An
account must have the permission "people" and see the area concerned, else Trouble("forbidden").
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import audit_log, person_record
from server.operations.clock import now_ms
from server.operations.enrol import hash_secret, plain_code
from server.operations.sign_in import hash_password
from server.storage.database import db, write
from server.storage.models import Area
from server.storage.queries.people import Phone, phones
from server.storage.tables import Assignment, Device, Enrolment, User
from shared import ids, protocol, vocabulary

# No I, L, O, U, 0 or 1: nothing that is misread on a screen or misheard on the telephone.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
MIN_PASSWORD = 8
NOBODY = "00000000-0000-0000-0000-000000000000"
_USERNAME = re.compile(r"[\w.@-]{2,40}")
_WALKERS = ("grid_worker", "supervisor")


@dataclass(frozen=True)
class Code:
    """A one-time enrolment code as a person reads it, when it expires (Unix ms), and its link."""

    text: str
    expires_at: int
    link: str


def add_user(
    username: str,
    name: str,
    role: str,
    area_code: str,
    password: str | None = None,
    body: str | None = None,
    phone: str | None = None,
    by: str | None = None,
) -> tuple[User, str | None]:
    """Make an account; without a password one is generated and returned, to be told once.

    Their name also becomes a reference record of their area, so that phones can show it.
    Raises Trouble "invalid" (errors: field -> messages) or "forbidden".
    """
    generated = None if password else new_password()
    chosen = password or generated or ""
    username, name = username.strip(), name.strip()
    errors = _wrong_fields(username, name, role, body, chosen)
    hashed = "" if errors else hash_password(chosen)  # it takes long: no lock is held meanwhile
    with write() as session:
        if not _area_exists(session, area_code):
            errors["area_code"] = [_NO_AREA]
        if session.scalar(select(User.id).where(User.username == username)):
            errors["username"] = [_TAKEN]
        if errors:
            raise Trouble("invalid", _first(errors), errors)
        _check_by(session, by, area_code)
        user = User(
            id=ids.new_id(),
            username=username,
            name=name,
            role=role,
            area_code=area_code,
            body=body or None,
            phone=phone or None,
            password_hash=hashed,
            active=True,
            failures=0,
            language="zh",
            scope_rev=0,
            created_at=now_ms(),
        )
        session.add(user)
        try:
            session.flush()
        except IntegrityError as error:  # another process took the name meanwhile
            raise Trouble("invalid", _TAKEN, {"username": [_TAKEN]}) from error
        audit_log.record(
            session, by, "user_add", user.id, area_code, {"username": username, "role": role}
        )
    person_record.publish(user, by)
    return user, generated


def edit_user(
    user_id: str,
    name: str,
    area_code: str,
    body: str | None = None,
    phone: str | None = None,
    by: str | None = None,
) -> User:
    """Change what an account says of its person; phones learn a new name or area.

    ``by`` must see both the old and the new area. A new area is a change of the person's scope.
    Raises Trouble "invalid" (errors: field -> messages), "not_found" or "forbidden".
    """
    name = name.strip()
    wanted = {
        "name": name,
        "area_code": area_code,
        "body": (body or "").strip() or None,
        "phone": (phone or "").strip() or None,
    }
    with write() as session:
        user = _user(session, user_id)
        _check_by(session, by, user.area_code)
        errors = _wrong_person(name, user.role, wanted["body"])
        if not _area_exists(session, area_code):
            errors["area_code"] = [_NO_AREA]
        if errors:
            raise Trouble("invalid", _first(errors), errors)
        _check_by(session, by, area_code)
        changed = [field for field, value in wanted.items() if getattr(user, field) != value]
        if not changed:
            return user
        if "area_code" in changed:
            user.scope_rev = (user.scope_rev or 0) + 1
        before = user.area_code
        for field in changed:
            setattr(user, field, wanted[field])
        detail: dict[str, Any] = {"fields": changed}
        if before != area_code:
            detail |= {"from": before, "to": area_code}
        audit_log.record(session, by, "user_edit", user_id, area_code, detail)
    person_record.follow(user, by)
    return user


def set_active(user_id: str, active: bool, by: str | None = None) -> User:
    """Disable an account, or enable it again.

    A disabled person is signed out everywhere with the next click; their phones may hand in what
    they hold, which goes to quarantine, and get nothing. Nobody disables themselves. Raises
    Trouble "invalid", "not_found" or "forbidden".
    """
    with write() as session:
        user = _user(session, user_id)
        _check_by(session, by, user.area_code)
        if by == user_id and not active:
            message = "不能停用自己的账号 / You cannot disable your own account"
            raise Trouble("invalid", message, {"user": [message]})
        if user.active != active:
            user.active = active
            user.failures, user.locked_until = 0, None
            action = "user_enable" if active else "user_disable"
            audit_log.record(session, by, action, user_id, user.area_code)
    return user


def set_password(user_id: str, password: str | None = None, by: str | None = None) -> str | None:
    """Give an account a new password and unlock it; returns the generated one, if none was given.

    A person may set their own; someone else's needs the permission "people".
    """
    generated = None if password else new_password()
    wrong = password_trouble(password or generated or "")
    if wrong:
        raise Trouble("invalid", wrong, {"password": [wrong]})
    hashed = hash_password(password or generated or "")
    with write() as session:
        user = _user(session, user_id)
        if by != user_id:
            _check_by(session, by, user.area_code)
        user.password_hash = hashed
        user.failures, user.locked_until = 0, None
        audit_log.record(session, by, "password_set", user_id, user.area_code)
    return generated


def assign(
    user_id: str, grid_code: str, by: str | None = None, now: int | None = None
) -> Assignment:
    """Let a person walk a grid from now on; the open assignment, if they already do.

    ``now`` stands for the server's clock, so that a history can be built.

    Raises Trouble "not_found" (person), "invalid" (grid, role) or "forbidden".
    """
    with write() as session:
        user = _user(session, user_id)
        if user.role not in _WALKERS:
            message = f"{user.name} 不是网格员 / {user.username} does not walk grids"
            raise Trouble("invalid", message, {"user": [message]})
        if len(grid_code) != ids.GRID_DIGITS or not _area_exists(session, grid_code):
            message = f"没有网格 {grid_code} / There is no grid {grid_code}"
            raise Trouble("invalid", message, {"grid_code": [message]})
        _check_by(session, by, grid_code)
        standing = _open_assignment(session, user_id, grid_code)
        if standing is not None:
            return standing
        user.scope_rev = (user.scope_rev or 0) + 1
        assignment = Assignment(
            id=ids.new_id(),
            user_id=user_id,
            grid_code=grid_code,
            from_at=now_ms() if now is None else now,
            from_rev=user.scope_rev,
        )
        session.add(assignment)
        audit_log.record(session, by, "assign", user_id, grid_code, {"scope_rev": user.scope_rev})
    return assignment


def unassign(
    user_id: str, grid_code: str, by: str | None = None, now: int | None = None
) -> Assignment:
    """End a person's assignment to a grid now (or then, see `assign`).

    Raises Trouble "not_found" if there is none.
    """
    with write() as session:
        user = _user(session, user_id)
        _check_by(session, by, grid_code)
        assignment = _open_assignment(session, user_id, grid_code)
        if assignment is None:
            raise Trouble(
                "not_found",
                f"{user.name} 并不负责网格 {grid_code} / {user.username} does not walk {grid_code}",
            )
        user.scope_rev = (user.scope_rev or 0) + 1
        assignment.to_at = now_ms() if now is None else now
        assignment.to_rev = user.scope_rev
        audit_log.record(session, by, "unassign", user_id, grid_code, {"scope_rev": user.scope_rev})
    return assignment


def make_enrolment_code(
    user_id: str,
    by: str | None = None,
    base_url: str = "",
    minutes: int = protocol.CODE_MINUTES,
) -> Code:
    """A one-time code for one phone of a person, good for that long (the demo's last a day).

    Only its hash is stored (`code_hash`). ``base_url`` is the server's address that goes into the
    link; empty: a link without a server, which the phone then asks for.
    """
    now = now_ms()
    expires = now + minutes * 60_000
    raw = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    text = f"{raw[:4]}-{raw[4:]}"
    with write() as session:
        user = _user(session, user_id)
        _check_by(session, by, user.area_code)
        if not user.active:
            raise Trouble("invalid", f"账号 {user.username} 已停用 / The account is disabled")
        session.add(
            Enrolment(
                code_hash=code_hash(text),
                user_id=user_id,
                created_by=by,
                created_at=now,
                expires_at=expires,
            )
        )
        audit_log.record(session, by, "enrolment_code", user_id, user.area_code)
    return Code(text, expires, enrolment_link(text, base_url))


def code_hash(text: str) -> str:
    """What is stored of an enrolment code; case, blanks and dashes do not matter."""
    return hash_secret(plain_code(text))


def enrolment_link(code: str, base_url: str = "") -> str:
    """The link in the enrolment QR: gridledger://enrol?server=...&code=..."""
    query = {"server": base_url.rstrip("/")} if base_url else {}
    return "gridledger://enrol?" + urlencode({**query, "code": code})


def revoke_device(device_id: str, by: str | None = None) -> Device:
    """Stop a phone: it may still hand in what it holds, and gets nothing any more.

    Raises Trouble "not_found". Revoking again changes nothing.
    """
    with write() as session:
        device = session.get(Device, device_id, with_for_update=True)
        if device is None or device.kind != "phone":
            raise Trouble("not_found", f"没有手机 {device_id} / There is no phone {device_id}")
        owner = session.get(User, device.user_id) if device.user_id else None
        area_code = owner.area_code if owner else ids.ROOT_AREA
        _check_by(session, by, area_code)
        if device.revoked_at is None:
            device.revoked_at = now_ms()
            audit_log.record(session, by, "device_revoke", device_id, area_code)
    return device


def devices(viewer: Viewer) -> list[Phone]:
    """The phones of people with an account or a grid in the viewer's subtree.

    The last heard from come first, revoked ones last.
    """
    return phones(db.session(), viewer)


def find_user(name_or_id: str) -> User:
    """The account with this user name or id. Raises Trouble "not_found"."""
    query = select(User).where(or_(User.username == name_or_id, User.id == name_or_id))
    user: User | None = db.session.scalar(query)
    if user is None:
        raise Trouble("not_found", f"没有账号 {name_or_id} / There is no account {name_or_id}")
    return user


def operator(area_code: str = ids.ROOT_AREA) -> str:
    """The account in whose name the command line writes records: an admin who sees the area.

    On a server without one, NOBODY.
    """
    query = select(User).where(User.role == "admin", User.active.is_(True))
    admins = [
        user for user in db.session.scalars(query) if ids.is_within(area_code, user.area_code)
    ]
    if not admins:
        return NOBODY
    return str(min(admins, key=lambda user: (len(user.area_code), user.created_at, user.id)).id)


def new_password() -> str:
    """A random password of 12 characters that keeps the rule and is easy to read aloud."""
    letters = CODE_ALPHABET.lower()
    while True:
        password = "".join(secrets.choice(letters) for _ in range(12))
        if not password_trouble(password):
            return f"{password[:4]}-{password[4:8]}-{password[8:]}"


def password_trouble(password: str) -> str:
    """What is wrong with a password, "" if nothing is."""
    long_enough = len(password) >= MIN_PASSWORD
    mixed = re.search(r"[^\W\d_]", password) and re.search(r"\d", password)
    if long_enough and mixed:
        return ""
    return "密码至少 8 位，并且有字母和数字 / At least 8 characters, with letters and digits"


_NO_AREA = "没有这个区划代码 / There is no such area"
_TAKEN = "用户名已被使用 / The user name is taken"


def _wrong_fields(
    username: str, name: str, role: str, body: str | None, password: str
) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not _USERNAME.fullmatch(username):
        errors["username"] = [
            "用户名要 2 至 40 个字母、数字、汉字或 . _ @ - / 2 to 40 letters, digits or . _ @ -"
        ]
    roles = [choice.code for choice in vocabulary.ROLES]
    if role not in roles:
        errors["role"] = [f"角色只能是 {', '.join(roles)} / No such role"]
    errors |= _wrong_person(name, role, body)
    wrong = password_trouble(password)
    if wrong:
        errors["password"] = [wrong]
    return errors


def _wrong_person(name: str, role: str, body: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not name or len(name) > 60:
        errors["name"] = ["姓名要 1 至 60 个字 / 1 to 60 characters"]
    if role == "handler" and not body:
        errors["body"] = ["责任单位的账号要写明单位 / A responsible unit's account needs its unit"]
    return errors


def _first(errors: dict[str, list[str]]) -> str:
    return next(messages[0] for messages in errors.values())


def _user(session: Session, user_id: str) -> User:
    user: User | None = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise Trouble("not_found", f"没有账号 {user_id} / There is no account {user_id}")
    return user


def _check_by(session: Session, by: str | None, area_code: str) -> None:
    if by is None:
        return
    actor = session.get(User, by)
    if actor is None or not actor.active:
        raise Trouble("forbidden")
    viewer = Viewer(actor.id, actor.role, actor.area_code, actor.body or "")
    if not viewer.may("people") or not viewer.sees_area(area_code):
        raise Trouble("forbidden")


def _area_exists(session: Session, area_code: str) -> bool:
    if area_code == ids.ROOT_AREA:
        return True
    query = select(Area.id).where(Area.code == area_code, Area.deleted_at.is_(None)).limit(1)
    return session.scalar(query) is not None


def _open_assignment(session: Session, user_id: str, grid_code: str) -> Assignment | None:
    query = select(Assignment).where(
        Assignment.user_id == user_id,
        Assignment.grid_code == grid_code,
        Assignment.to_at.is_(None),
    )
    return session.scalar(query)
