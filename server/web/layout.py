"""What every template has at hand: words, icons of states, the navigation, addresses of files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask, request, url_for
from flask_babel import gettext as _
from flask_bootstrap import Bootstrap5
from flask_login import current_user
from markupsafe import Markup

from server import errors
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import overdue
from server.web import clocks, session, words

STATIC = Path(__file__).parent / "static"
NAV_COUNTS_TO = 99
NAV_PLACES = 5  # as many stand in one line at 1200 pixels, in English too


class Look(NamedTuple):
    """How a state is shown beside its word: a tone of app.css and a Bootstrap icon."""

    tone: str
    icon: str


LOOKS: dict[tuple[str, str], dict[str, Look]] = {
    ("visit", "review_state"): {
        "pending": Look("info", "hourglass-split"),
        "approved": Look("good", "check-circle-fill"),
        "returned": Look("warn", "arrow-return-left"),
    },
    ("visit", "outcome"): {
        "met": Look("plain", "person-check"),
        "not_met": Look("plain", "door-closed"),
        "refused": Look("plain", "slash-circle"),
        "no_change": Look("plain", "dash-circle"),
    },
    ("problem", "state"): {
        "reported": Look("info", "megaphone"),
        "registered": Look("info", "journal-check"),
        "rejected": Look("mute", "x-circle"),
        "merged": Look("mute", "union"),
        "dispatched": Look("info", "send"),
        "in_progress": Look("primary", "tools"),
        "suspended": Look("warn", "pause-circle"),
        "closure_requested": Look("warn", "clipboard-check"),
        "closed": Look("good", "check-circle-fill"),
        "reopened": Look("danger", "arrow-counterclockwise"),
        "archived": Look("mute", "archive"),
    },
    ("photo", "state"): {
        "declared": Look("info", "phone"),
        "stored": Look("info", "hourglass-split"),
        "verified": Look("good", "check-circle-fill"),
        "corrupt": Look("warn", "arrow-repeat"),
        "refused": Look("danger", "x-octagon"),
    },
    ("conflict", "state"): {
        "open": Look("warn", "signpost-split"),
        "decided": Look("good", "check-circle-fill"),
        "agreed": Look("good", "check2-all"),
    },
    ("household", "risk_level"): {
        "normal": Look("plain", "house"),
        "attention": Look("warn", "eye"),
        "high": Look("danger", "exclamation-triangle-fill"),
    },
}
QUARANTINE_LOOKS = {
    "open": Look("warn", "inbox"),
    "released": Look("good", "check-circle-fill"),
    "refused": Look("mute", "x-circle"),
}
OFFER_LOOKS = {
    "open": Look("warn", "inbox"),
    "taken": Look("good", "check-circle-fill"),
    "left": Look("mute", "x-circle"),
}


class NavItem(NamedTuple):
    """A place in the navigation. ``waiting``: what waits there for this person."""

    endpoint: str
    icon: str
    text: str
    waiting: int = 0

    @property
    def page(self) -> str:
        """The blueprint whose every page belongs to the place."""
        return self.endpoint.rpartition(".")[0]


class Navigation(NamedTuple):
    """The places in the bar, and those behind its "more" button."""

    first: list[NavItem]
    more: list[NavItem]


def register(app: Flask) -> None:
    """Add all of it to the application's templates."""
    app.static_url_path = "/static"  # Bootstrap-Flask builds its own address from it
    app.config.setdefault("BOOTSTRAP_SERVE_LOCAL", True)
    Bootstrap5(app)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        day=lambda ms: words.day(ms, now_ms()),
        when=_when,
        ago=lambda ms: words.ago(ms, now_ms()),
        stamp=words.stamp,
        size=words.size,
        in_language=words.in_language,
    )
    app.jinja_env.globals.update(
        came_from=session.came_from,
        asset=asset,
        badge=badge,
        chip=chip,
        icon=icon,
        navigation=navigation,
        now_ms=now_ms,
        page_args=page_args,
        with_args=with_args,
        word=words.word,
        words_of=words.words,
        choice=words.choice,
        field_name=words.field_name,
        kind_name=words.kind_name,
        action_name=words.action_name,
        code_title=words.code_title,
        codes=words.codes,
        reference_name=words.reference_name,
        value_text=words.value_text,
        deadline=clocks.running,
        span=words.span,
        language=errors.language,
    )


def asset(name: str) -> str:
    """The address of a static file, with its version, so that browsers may keep it for ever."""
    return url_for("web.static", filename=name, v=_version(name))


@lru_cache
def _version(name: str) -> str:
    path = STATIC / name
    return format(path.stat().st_mtime_ns // 10**6, "x") if path.exists() else "0"


def icon(name: str) -> Markup:
    """An icon that says nothing by itself; the word stands beside it."""
    return Markup('<i class="bi bi-{}" aria-hidden="true"></i>').format(name)


def chip(tone: str, icon_name: str, text: str) -> Markup:
    """A word with an icon in a tone."""
    return Markup('<span class="chip chip-{}">{}{}</span>').format(tone, icon(icon_name), text)


def badge(kind: str, field: str, code: str | None) -> Markup:
    """A coded state: word, icon, colour."""
    if not code:
        return Markup("")
    if kind == "quarantine":
        texts = {"open": _("待处理"), "released": _("已放行"), "refused": _("不予收下")}
        look = QUARANTINE_LOOKS.get(code, Look("mute", "circle"))
        return chip(look.tone, look.icon, texts.get(code, code))
    if kind == "offer":
        texts = {"open": _("待处理"), "taken": _("已收回"), "left": _("不要了")}
        look = OFFER_LOOKS.get(code, Look("mute", "circle"))
        return chip(look.tone, look.icon, texts.get(code, code))
    look = LOOKS.get((kind, field), {}).get(code, Look("mute", "circle"))
    return chip(look.tone, look.icon, words.word(kind, field, code))


def navigation() -> Navigation:
    """The places that the signed-in person's role has; more than the bar holds fold away."""
    places = _places()
    held = len(places) if len(places) <= NAV_PLACES + 1 else NAV_PLACES
    return Navigation(places[:held], places[held:])


def _places() -> list[NavItem]:
    if not current_user.is_authenticated:
        return []
    who = session.viewer()
    items = []
    if who.may("see_own_problems"):
        items.append(NavItem("web.board.page", "kanban", _("我的任务")))
    elif who.role not in ("grid_worker", "auditor"):
        items.append(NavItem("web.home.page", "house", _("首页")))
    if who.role != "grid_worker" and who.may("see_records"):
        items.append(NavItem("web.visits.listed", "clipboard-check", _("走访")))
        items.append(NavItem("web.homes.listed", "houses", _("住户名单")))
    if who.role != "grid_worker" and (who.may("see_records") or who.may("see_own_problems")):
        items.append(NavItem("web.ledger.listed", "journal-text", _("问题台账")))
    if who.role != "grid_worker" and who.may("see_records"):
        items.append(NavItem("web.conflicts.listed", "signpost-split", _("冲突")))
        late = overdue.late(db.session(), who, now_ms(), NAV_COUNTS_TO)
        items.append(NavItem("web.overdue_photos.listed", "images", _("照片未到"), late))
    if who.may("quarantine"):
        items.append(NavItem("web.quarantine.listed", "inbox", _("隔离区")))
    if who.may("people"):
        items.append(NavItem("web.people.listed", "people", _("人员与手机")))
        items.append(NavItem("web.feedback.listed", "chat-square-text", _("投诉建议")))
    elif who.may("quarantine"):
        items.append(NavItem("web.phones.listed", "phone", _("手机")))
    if who.may("audit"):
        items.append(NavItem("web.audit.listed", "shield-check", _("审计日志")))
    return items


def page_args() -> dict[str, Any]:
    """This page's arguments, without those that would change the address that url_for makes."""
    taken = {"kind", "endpoint", *(request.view_args or {})}
    given = request.args.to_dict()
    return {k: v for k, v in given.items() if not k.startswith("_") and k not in taken}


def with_args(**changes: Any) -> str:
    """This page's address with some arguments changed; None and "" take one away."""
    args: dict[str, Any] = {**page_args(), **(request.view_args or {}), **changes}
    kept: Mapping[str, Any] = {k: v for k, v in args.items() if v not in (None, "")}
    return url_for(request.endpoint or "web.home.page", **kept)


def _when(ms: int | None) -> Markup:
    if ms is None:
        return Markup("")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        words.local(ms).isoformat(timespec="seconds"), words.full(ms), words.when(ms, now_ms())
    )
