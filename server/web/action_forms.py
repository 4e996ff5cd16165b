"""The forms of the ledger's actions: which fields, their first values, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request
from flask_babel import gettext as _

from server.operations import action_photos
from server.operations.clock import now_ms
from server.web import args, gallery, words
from shared import categories, records, vocabulary
from shared.ledger import ACTIONS, MAX_WHYS, Action, called_back, unanswered
from shared.protocol import MAX_TEXT

# The order in which a form asks, whatever the rules' own.
_ORDER = (
    "merged_into", "body", "owner", "measure", "due_at", "co_bodies", "co_body", "suspended_until",
    "extension_until", "return_cause", "reopen_cause", "result", "root_cause", "root_whys",
    "satisfaction", "callback_note", "reason", "hard",
)  # fmt: skip
# The next steps of the road, of which a page offers one first; others follow in the rules' order.
_ROAD = ("register", "dispatch", "accept", "request_closure", "close")
_ICONS = {
    "register": "journal-check", "reject": "x-circle", "merge": "union", "unmerge": "union",
    "dispatch": "send", "accept": "check2-square", "return": "arrow-return-left",
    "progress": "pencil", "request_suspend": "pause-circle", "approve_suspend": "pause-circle",
    "resume": "play-circle", "request_closure": "clipboard-check", "close": "check-circle",
    "redo": "arrow-repeat", "callback": "telephone", "reopen": "arrow-counterclockwise",
    "supervise": "flag", "remind": "bell", "extend": "calendar-plus", "whistle": "megaphone",
    "archive": "archive", "request_extension": "calendar-plus", "decline": "x-circle",
    "join": "check2-square",
}  # fmt: skip
LONG = ("reason", "measure", "result", "callback_note", "root_whys")
MOMENTS = ("due_at", "suspended_until", "extension_until")


@dataclass(frozen=True)
class Field:
    """One field of a form. ``widget``: text, long, moment, select, checks, flag.

    ``follows``: for a body its person, whom the page fills in when the body is chosen.
    """

    name: str
    label: str
    widget: str
    required: bool
    value: Any
    options: tuple[tuple[str, str], ...] = ()
    error: str = ""
    hint: str = ""
    follows: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Photos:
    """Photos that go with an action: whether one is needed, of which phase (or one to choose)."""

    required: bool
    phases: tuple[tuple[str, str], ...]
    error: str = ""


@dataclass(frozen=True)
class Form:
    """The form of one action, open when it is the next step or has just been tried."""

    action: Action
    icon: str
    fields: tuple[Field, ...]
    open: bool
    first: bool
    photos: Photos | None = None


@dataclass(frozen=True)
class Tried:
    """A form that was sent and not accepted: it is shown again as it was filled in."""

    action: str
    form: Mapping[str, str]
    errors: Mapping[str, str]

    def value(self, name: str) -> Any:
        """What was filled in."""
        if name == "co_bodies":
            return self.form.getlist(name)  # type: ignore[attr-defined]
        return self.form.get(name, "")


def read(action: Action, form: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """What a form says: the action's data, and the field's name -> message of what is wrong."""
    data: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in (*action.needs, *action.takes):
        if name == "co_bodies":
            value: Any = sorted({one for one in form.getlist(name) if one})
        elif name == "hard":
            value = True if form.get(name) else None
        elif name in MOMENTS:
            text = form.get(name, "").strip()
            value = args.moment(text)
            if text and value is None:
                wrong[name] = _("请按 年-月-日 时:分 填写。")
            elif value is not None and value < now_ms():
                wrong[name] = _("这个时间已经过去了。")
        else:
            value = form.get(name, "").strip()
            field = records.FIELDS["problem"].get(name)
            limit = field.limit if field is not None and name != "root_whys" else MAX_TEXT
            if len(value) > limit:
                wrong[name] = _("最多 %(n)s 个字。", n=limit)
            if name == "root_whys":  # one a line
                value = [line.strip() for line in value.splitlines() if line.strip()]
        if value in (None, "", []):
            if name in action.needs and name not in wrong:
                wrong[name] = _("请填写这一项。")
            if name != "co_bodies" or name in action.needs:  # nobody beside the lead: said, too
                continue
        data[name] = value
    return data, wrong


def forms(
    problem: Any,
    actions: Sequence[Action],
    tried: Tried | None,
    *,
    category: Any,
    bodies: Mapping[str, str],
    owners: Mapping[str, str],
    mergeable: Iterable[Any],
    due: int | None,
    body: str = "",
    asked: str = "",
    needs_photo: bool = False,
    needs_cause: bool = False,
    answering: Sequence[str] = (),
) -> list[Form]:
    """The forms of the actions that are possible now, the next step of the road first.

    A form that was tried is shown even if it is not possible any more, and the one that the address
    ``asked`` for is open. ``due``: the deadline that the category gives to what is dispatched now.
    ``body``: a handler's own. ``needs_photo``: closure asks for one and there is none yet;
    ``needs_cause``: and for the root cause. ``answering``: the bodies for which a whistle may be
    answered here.
    """
    shown = list(actions)
    if tried is not None and tried.action not in {one.name for one in shown}:
        shown.append(ACTIONS[tried.action])
    first = next_step(problem, [one.name for one in shown], body)
    shown.sort(key=lambda one: one.name != first)
    wanted = tried.action if tried is not None else asked
    if wanted not in {one.name for one in shown}:
        wanted = first
    made = []
    for action in shown:
        mine = tried if tried is not None and tried.action == action.name else None
        fields = tuple(
            _field(name, action, problem, mine, category, bodies, owners, mergeable, due)
            for name in _ORDER
            if name in (*action.needs, *action.takes)
        )
        if needs_cause and action.name == "request_closure":
            fields = tuple(replace(f, required=True) if f.name == "root_cause" else f
                           for f in fields)  # fmt: skip
        if action.name == "join":
            fields = tuple(
                replace(f, options=tuple(one for one in f.options if one[0] in answering))
                if f.name == "co_body" else f
                for f in fields
            )  # fmt: skip
        made.append(
            Form(
                action, _ICONS.get(action.name, "dot"), fields, action.name == wanted,
                action.name == first, _photos(action, mine, needs_photo),
            )
        )  # fmt: skip
    return made


def next_step(problem: Any, possible: Sequence[str], body: str) -> str:
    """The one action that a page offers first, "" where nothing is the reader's to do now."""
    waiting = unanswered({"co_bodies": problem.co_bodies, "whistle": problem.whistle})
    before: list[str] = []
    if body and body in waiting:
        before.append("join")
    if problem.suspend_requested:
        before.append("approve_suspend")
    if problem.extension_requested:
        before.append("extend")
    moments = {name: getattr(problem, name) for name in ("round", "callback_at", "closed_at")}
    if not called_back(moments):
        before.append("callback")
    return next((one for one in (*before, *_ROAD) if one in possible), "")


def _photos(action: Action, tried: Tried | None, needed: bool) -> Photos | None:
    """What closure and progress take beside their fields."""
    if action.name not in action_photos.ACTIONS:
        return None
    both = (("after", _("整改后")), ("before", _("整改前")))
    phases = both if action.name == "progress" else both[:1]
    error = tried.errors.get("photos", "") if tried is not None else ""
    return Photos(needed and action.name == "request_closure", phases, error)


def photos_of(action: str) -> tuple[list[action_photos.Given], str]:
    """The photos of the form that was sent, and of which phase they are.

    ``photos_taken`` has for each what the browser knows of when it was taken, ms.
    """
    times = request.form.getlist("photos_taken")
    files = [one for one in request.files.getlist("photos") if one.filename]
    given = []
    for n, one in enumerate(files):
        text = times[n] if n < len(times) else ""
        known = int(text) if text.isascii() and text.isdigit() and len(text) < 15 else None
        given.append(action_photos.Given(one.stream, known))
    phase = request.form.get("phase", "") if action == "progress" else ""
    return given, args.one_of(phase, ("before", "after"), "after")


def photo_refusal(code: str) -> str:
    """Why photos of a form were not taken."""
    if code == "too_many":
        return _("一次最多 %(n)s 张。", n=action_photos.MOST)
    return _("有一张照片用不了：%(why)s", why=gallery.refusal_text(code))


def _field(
    name: str,
    action: Action,
    problem: Any,
    tried: Tried | None,
    category: Any,
    bodies: Mapping[str, str],
    owners: Mapping[str, str],
    mergeable: Iterable[Any],
    due: int | None,
) -> Field:
    widget, hint = "text", ""
    options: tuple[tuple[str, str], ...] = ()
    follows: Mapping[str, str] | None = None
    value: Any = ""
    match name:
        case "body":
            widget, options = "select", tuple(bodies.items())
            value, follows = _own_body(category), owners
        case "owner":
            value = problem.owner or owners.get(_own_body(category), "")
        case "co_bodies":
            widget = "checks"
            options = tuple((c, n) for c, n in bodies.items() if c != problem.body)
            value = problem.co_bodies or [] if action.name == "dispatch" else []
        case "due_at":
            widget = "moment"
            hint = _now_due(problem) if action.name == "extend" else _category_hint(category)
            value = args.moment_text(_due(action, problem, due))
        case "co_body":
            widget = "select"
            waiting = unanswered({"co_bodies": problem.co_bodies, "whistle": problem.whistle})
            options = tuple((code, bodies.get(code, code)) for code in waiting)
        case "suspended_until" | "extension_until":
            widget = "moment"
            hint = _now_due(problem) if name == "extension_until" else ""
            value = args.moment_text(getattr(problem, name))
        case "root_cause" | "satisfaction" | "return_cause" | "reopen_cause":
            widget = "select"
            options = _choices(records.FIELDS["problem"][name].choices)
        case "merged_into":
            widget = "select"
            options = tuple(
                (one.id, f"{one.ledger_no or ''} {one.description[:24]}".strip())
                for one in mergeable
            )
        case "hard":
            widget = "flag"
        case _ if name in LONG:
            widget = "long"
            hint = _("一行写一个，最多 %(n)s 个", n=MAX_WHYS) if name == "root_whys" else ""
    if tried is not None:
        value = tried.value(name)
    return Field(
        name,
        _label(name, action),
        widget,
        name in action.needs,
        value,
        options,
        tried.errors.get(name, "") if tried is not None else "",
        hint,
        follows,
    )


def _now_due(problem: Any) -> str:
    """Until when it is to be done as things stand."""
    if problem.due_at is None:
        return ""
    return _("现在的时限：%(when)s", when=words.when(problem.due_at, now_ms()))


def _own_body(category: Any) -> str:
    """The body that usually handles a category."""
    return str(((category.data if category else None) or {}).get("body") or "")


def _choices(choices: tuple[vocabulary.Choice, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((one.code, one.en if words.english() else one.zh) for one in choices)


def _label(name: str, action: Action) -> str:
    if name == "reason":
        return _("进展") if action.name == "progress" else _("说明")
    if name == "due_at" and action.name == "extend":
        return _("延至")
    if name == "co_body":
        return words.field_name("problem", "co_bodies")
    return words.field_name("problem", name)


def _category_hint(category: Any) -> str:
    text = limit_text(category.data if category else None)
    return _("该类别的时限：%(limit)s", limit=text) if text else ""


def limit_text(data: Mapping[str, Any] | None) -> str:
    """How long a category gives for handling, in words."""
    amount, unit = categories.limit(data, "handle")
    number = f"{amount:g}"
    if unit == "natural_day":
        return _("%(n)s 天", n=number)
    if unit == "work_day":
        return _("%(n)s 个工作日", n=number)
    if unit == "work_hour":
        return _("%(n)s 个工作小时", n=number)
    return _("%(n)s 小时", n=number)


def _due(action: Action, problem: Any, default: int | None) -> int | None:
    """The deadline that a form starts with: the category's limit from now."""
    if action.name == "extend":
        until: int | None = problem.extension_until or problem.due_at
        return until
    return default
