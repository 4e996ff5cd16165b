"""All that the page of one problem shows, on the screen and on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request
from flask_babel import gettext as _

from server.core import masking
from server.core.access import Viewer
from server.operations import ledger_facts
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import conflicts, family, names, photos, problems
from server.web import action_forms, action_reasons, clocks, gallery, timeline, words
from server.web.targets import masked_texts
from shared import duplicates, ledger

MERGED_FROM = ("reported", "registered")


@dataclass(frozen=True)
class Reporter:
    """Who told of a problem, or of one that was merged into it."""

    problem: Any
    source: str
    name: str
    phone: str
    filed_by: str


@dataclass(frozen=True)
class Alike:
    """A likely duplicate: why it is one, and which of the two may be merged into the other."""

    problem: Any
    text: str
    why: str
    into_it: bool = False
    from_it: bool = False


@dataclass(frozen=True)
class Whistled:
    """A body that was whistled for: since when, and when it answered (ms, None: not yet)."""

    name: str
    at: int | None
    answered_at: int | None
    by: str


def context(
    viewer: Viewer,
    problem: Any,
    tried: action_forms.Tried | None = None,
    paper: bool = False,
) -> dict[str, Any]:
    """What ledger/page.html needs."""
    reading = db.session()
    now = now_ms()
    bodies = clocks.bodies()
    body_names = {code: words.reference_name(body, code) for code, body in bodies.items()}
    category = clocks.categories().get(problem.category)
    data = category.data if category else None
    merged = family.merged(reading, problem)
    taken = photos.of_owners(reading, [problem.id, *(one.id for one in merged)])
    own = [one for one in taken if one.owner_id == problem.id]
    entries = problems.history(reading, problem.id)
    alike = _alike(viewer, problem)
    related = family.related(
        reading, viewer, problem, [one.id for one in merged] + [one.problem.id for one in alike]
    )
    spoken_of = [problem.merged_into, *timeline.merges(entries)]
    numbers = problems.numbers(reading, viewer, spoken_of)
    numbers |= {one.id: problems.called(one) for one in merged}
    people = names.people(reading, _people(problem, merged, entries, taken))
    facts = ledger_facts.of_page(reading, problem, own, data, now)
    values = {column.name: getattr(problem, column.name) for column in problem.__table__.columns}
    actor = ledger.Actor(viewer.user_id, viewer.role, viewer.body)
    missing = facts.needs_after and not facts.after_photos + facts.photos_pending
    # A photo may come with the form itself.
    possible = replace(facts, photos_pending=1) if missing else facts
    waiting = ledger.unanswered(values)
    answering = ledger_facts.without_login(reading, problem, waiting)
    joining = replace(possible, has_login=bool(waiting) and not answering)
    refused = action_reasons.impossible(problem, values, viewer, actor, possible, now, joining)
    closed_to = {action.name for action, _why in refused}
    actions = [
        action
        for action in ledger.ACTIONS.values()
        if viewer.role in action.roles and action.name not in closed_to
    ]
    shown = [*(one.problem for one in alike), *related.household, *related.compound, *related.chain]
    return {
        "problem": problem,
        "category": category,
        "bodies": bodies,
        "body_names": body_names,
        "target": names.targets(reading, [(problem.target_kind, problem.target_id)]).get(
            problem.target_id
        ),
        "gallery": gallery.of_problem(
            reading, taken, facts.needs_after and problem.state in ledger.OPEN_STATES
        ),
        "of_this_round": _of_this_round(problem, values, entries),
        "clocks": clocks.shown(problem, entries, data),
        "timeline": timeline.sentences(entries, people, body_names, numbers, paper),
        "whistled": _whistled(problem, body_names, people),
        "people": people,
        "merged": numbers,
        "merged_problems": merged,
        "alike": alike,
        "related": related,
        "masked": masked_texts(reading, [*shown, *merged], "description"),
        "categories": clocks.categories(),
        "reporters": _reporters(viewer, [problem, *merged], people),
        "visits": family.visits_behind(reading, viewer, [problem, *merged]),
        "place": names.places(reading, [problem.partition_id])[problem.partition_id],
        "forms": action_forms.forms(
            problem,
            actions,
            tried,
            category=category,
            bodies=body_names,
            owners={c: (b.data or {}).get("owner") or "" for c, b in bodies.items()},
            mergeable=problems.others_to_merge(reading, viewer, problem)
            if viewer.role == "supervisor" and problem.state in MERGED_FROM
            else [],
            due=facts.deadlines.get("handle"),
            body=viewer.body,
            asked=request.args.get("do", ""),
            needs_photo=missing,
            answering=answering if viewer.role == "supervisor" else waiting,
            needs_cause=bool(problem.hard) or family.is_recurring(reading, problem),
        ),
        "impossible": refused,
        "waiting_for": action_reasons.waiting_for(
            problem, body_names, problem.closure_by == viewer.user_id
        ),
        "conflicts": conflicts.open_about(reading, problem.id) if viewer.may("see_records") else [],
        "viewer": viewer,
    }


def _of_this_round(problem: Any, values: dict[str, Any], entries: Sequence[Any]) -> set[str]:
    """What the present round said: an earlier round's words stand in the history alone."""
    told = {
        entry.action
        for entry in entries
        if not entry.attempt and (entry.round or 1) == (problem.round or 1)
    }
    said = set()
    if problem.round in (None, 1) or told & {"request_closure", "import"}:
        said.add("result")
    if problem.round in (None, 1) or "import" in told or ledger.called_back(values):
        said |= {"satisfaction", "callback_note"}
    return said


def on_paper(viewer: Viewer, problem: Any) -> dict[str, Any]:
    """What ledger/print.html needs: paper is left lying about, so reporters are masked."""
    shown = context(viewer, problem, paper=True)
    shown["reporters"] = [
        replace(one, name=masking.mask_name(one.name), phone=masking.mask_phone(one.phone))
        for one in shown["reporters"]
    ]
    return shown


def _alike(viewer: Viewer, problem: Any) -> list[Alike]:
    """The likely duplicates, for those who decide what is one."""
    if problem.state not in ledger.OPEN_STATES or not viewer.may("see_records"):
        return []
    reading = db.session()
    found = family.alike(reading, viewer, problem)
    texts = masked_texts(reading, [one.problem for one in found], "description")
    decides = viewer.role == "supervisor"
    shown = []
    for one in found:
        other = one.problem
        into_it = decides and problem.state in MERGED_FROM and other.state in ledger.OPEN_STATES
        from_it = decides and not into_it and other.state in MERGED_FROM
        if problem.state not in MERGED_FROM and not from_it:
            continue  # nothing is decided here; it stands among the related ones
        why = _why_alike(problem, one)
        shown.append(Alike(other, texts[other.id], why, into_it, from_it))
    return shown


def _why_alike(problem: Any, one: family.Alike) -> str:
    other = one.problem
    if problem.target_id and problem.target_id == other.target_id:
        where = _("同一户") if problem.target_kind == "household" else _("同一地点")
    elif one.metres is not None and one.metres < 100:
        where = _("相距 %(n)s 米", n=max(1, round(one.metres)))
    else:
        where = _("同一楼院")
    like = duplicates.likeness(problem.description, other.description)
    text = _("说的有点像") if like >= 0.15 else _("说的不太像")
    text = _("说的很像") if like >= 0.4 else text
    return _("%(a)s，%(b)s", a=where, b=text)


def _reporters(viewer: Viewer, every: Sequence[Any], people: dict[str, Any]) -> list[Reporter]:
    """Who told of it; a body's people do not see their names and numbers."""
    personal = viewer.may("see_records")
    return [
        Reporter(
            one,
            words.word("problem", "source", one.source),
            (one.reporter_name or "") if personal else "",
            (one.reporter_phone or "") if personal else "",
            people[one.created_by].name if one.created_by in people else "",
        )
        for one in every
    ]


def _whistled(problem: Any, bodies: dict[str, str], people: dict[str, Any]) -> list[Whistled]:
    """Each body that joins in, with its own answer."""
    answers = problem.whistle or {}
    found = []
    for code in problem.co_bodies or ():
        answer = answers.get(code) or {}
        person = people.get(answer.get("accepted_by") or "")
        found.append(
            Whistled(
                bodies.get(code, code), answer.get("at"), answer.get("accepted_at"),
                person.name if person else "",
            )
        )  # fmt: skip
    return found


def _people(
    problem: Any, merged: Sequence[Any], entries: Sequence[Any], taken: Sequence[Any]
) -> list[str | None]:
    answered = [one.get("accepted_by") for one in (problem.whistle or {}).values()]
    return [
        problem.created_by,
        problem.closure_by,
        problem.closed_by,
        *answered,
        *(one.created_by for one in merged),
        *(entry.actor for entry in entries),
        *(photo.created_by for photo in taken),
    ]
