"""Photos on a page: each with its caption and its state in words, before beside after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Problem
from server.storage.queries import family, gallery, photos
from server.storage.queries.gallery import About
from server.storage.tables import Device
from server.web import words
from server.web.layout import LOOKS, Look


@dataclass(frozen=True)
class Shown:
    """A photo as the pages show it. ``number`` counts within the record, from 1.

    ``where`` says of one that is not here whose phone has it, "" for one that is.
    """

    about: About
    number: int
    owner: str
    taken_by: str
    covered_by: str
    state: str
    look: Look
    where: str
    since: int | None

    @property
    def photo(self) -> Any:
        """The record."""
        return self.about.photo

    @property
    def is_here(self) -> bool:
        """Whether there is a picture to show."""
        return self.photo.state in ("verified", "stored")

    @property
    def alt(self) -> str:
        """The picture in words, for those who do not see it."""
        phase = words.word("photo", "phase", self.photo.phase)
        return _("%(phase)s照片 %(n)s", phase=phase, n=self.number)


@dataclass(frozen=True)
class Group:
    """Photos under one heading; ``nothing`` is said where there are none."""

    title: str
    shown: tuple[Shown, ...]
    nothing: str = ""


@dataclass(frozen=True)
class Gallery:
    """A record's photos. ``pair``: one before and one after, to stand side by side."""

    groups: tuple[Group, ...]
    pair: tuple[Shown, Shown] | None = None

    @property
    def shown(self) -> list[Shown]:
        """All of them in the order of the page."""
        return [one for group in self.groups for one in group.shown]

    @property
    def waiting(self) -> int:
        """How many are not verified and may still come."""
        return sum(one.photo.state not in ("verified", "refused") for one in self.shown)

    @property
    def verified(self) -> int:
        """How many are safe."""
        return sum(one.photo.state == "verified" for one in self.shown)


def of_visit(session: Session, taken: Sequence[Any]) -> Gallery:
    """The photos of a visit in the order they were taken."""
    return Gallery((Group("", tuple(shown(session, taken))),))


def of_problem(session: Session, taken: Sequence[Any], needs_after: bool) -> Gallery:
    """The photos of a problem, before and after; the newest of both side by side."""
    ordered = [one for one in taken if one.phase != "after"]
    ordered += [one for one in taken if one.phase == "after"]
    all_shown = shown(session, ordered)
    before = tuple(one for one in all_shown if one.photo.phase != "after")
    after = tuple(one for one in all_shown if one.photo.phase == "after")
    left = [one for one in before if one.photo.state == "verified"]
    right = [one for one in after if one.photo.state == "verified"]
    asked = _("还没有。这类问题要有核实过的整改后照片才能销号。")
    return Gallery(
        (
            Group(_("整改前"), before, _("没有照片。")),
            Group(_("整改后"), after, asked if needs_after else _("还没有。")),
        ),
        (left[-1], right[-1]) if left and right else None,
    )


def of_owner(session: Session, photo: Any) -> Gallery:
    """The gallery that a photo belongs to."""
    if photo.owner_kind == "problem":
        main = session.get(Problem, main_problem(session, photo.owner_id))
        owners = [photo.owner_id]
        if main is not None:
            owners = [main.id, *(one.id for one in family.merged(session, main))]
        return of_problem(session, photos.of_owners(session, owners), False)
    return of_visit(session, photos.of_owners(session, [photo.owner_id]))


def main_problem(session: Session, problem_id: str) -> str:
    """The problem on whose page the photos of another stand: that into which it was merged."""
    problem = session.get(Problem, problem_id)
    return family.main_of(session, problem).id if problem is not None else problem_id


def shown(session: Session, taken: Sequence[Any]) -> list[Shown]:
    """Each photo with what the page says of it."""
    entries = gallery.about(session, taken)
    people = gallery.people_of(session, entries)
    found = []
    for number, one in enumerate(entries, 1):
        state, look = _state(one)
        covered = people.get(one.photo.created_by or "", _("系统")) if one.original else ""
        waits = one.photo.state in ("declared", "corrupt")
        found.append(
            Shown(
                one,
                number,
                one.photo.owner_id,
                people.get(one.taken_by or "", ""),
                covered,
                state,
                look,
                phone_text(one.device, people, one.taken_by) if waits else "",
                one.photo.updated_at if waits or one.photo.state == "stored" else None,
            )
        )
    return found


def phone_text(device: Device | None, people: dict[str, str], author: str | None) -> str:
    """Whose phone has a photo that is not here: 李敏的手机（李敏）."""
    name = people.get((device.user_id if device else None) or author or "", "")
    if device is None:
        return _("%(name)s的手机", name=name) if name else _("网格员的手机")
    if not name or name in device.name:
        return device.name
    return _("%(device)s（%(name)s）", device=device.name, name=name)


def refusal_text(code: str) -> str:
    """Why a photo is of no use."""
    texts = {
        "not_an_image": _("不是照片"),
        "too_many_pixels": _("像素太多"),
        "empty": _("空文件"),
        "has_position": _("照片里带有位置"),
        "broken": _("文件损坏"),
    }
    return texts.get(code, code)


def may_redact(viewer: Viewer, photo: Any) -> bool:
    """Whether the viewer may paint over a photo."""
    return bool(viewer.may("redact") and photo.state == "verified" and not photo.replaced_by)


def _state(one: About) -> tuple[str, Look]:
    state = one.photo.state
    look = LOOKS["photo", "state"].get(state, Look("mute", "circle"))
    if state == "declared" and one.sending:
        return _("正在上传"), Look("info", "cloud-arrow-up")
    if state == "declared":
        return _("还在手机上"), look
    if state == "stored":
        return _("已收到，正在检查"), look
    if state == "corrupt":
        return _("传坏了，手机会重传"), look
    if state == "refused":
        why = refusal_text(one.reason)
        return (_("用不了：%(why)s", why=why) if why else _("用不了")), look
    return pgettext("photo", "已核实"), look
