"""The ledger's full-text index: which problems hold these words (shared.bigrams).

One row of ProblemSearch a problem, written in the transaction that changes the problem. Beside the
words of its texts it holds terms of its own, each with one of shared.bigrams.MARKS: where the
problem is, its category, its bodies, whether it is open. So a search within a reader's own area
is one look-up, and nothing beyond it is counted or shown. Who reported a problem is found only by
those who see every reporter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, column, delete, select, table, text
from sqlalchemy.orm import Session

from server.storage.bulk import insert_rows
from server.storage.database import any_of, is_sqlite
from server.storage.ledger_tables import FULL_TEXT, ProblemSearch
from server.storage.rows import Held, chunks
from shared import bigrams, ids, ledger
from shared.bigrams import Phrase
from shared.reconcile import Record

AREA, BODY, CATEGORY, OPEN, REPORTER = "ɐ", "ʙ", "ɕ", "ɖ", "ɾ"
TEXTS = ("ledger_no", "description", "place")
REPORTERS = ("reporter_name", "reporter_phone")
# The fields whose change is a change of the index; of ``state`` only whether it is open.
WATCHED = frozenset({*TEXTS, *REPORTERS, "category", "body", "co_bodies"})
TABLE = ProblemSearch.__table__


@dataclass(frozen=True)
class Sought:
    """What a search asks for. ``categories``: codes whose names hold the text.

    ``area`` is an area's code, ids.ROOT_AREA for all; ``body`` a body that must have part in it;
    ``is_open``: only what is open; ``reporters``: who reported it is looked through too.
    """

    phrases: tuple[Phrase, ...]
    categories: tuple[str, ...] = ()
    area: str = ids.ROOT_AREA
    body: str = ""
    is_open: bool = False
    reporters: bool = False


def document(partition: str, values: Mapping[str, Any]) -> list[str]:
    """The terms of one problem."""
    area = ids.area_of(partition) or ""
    found = [AREA + code for code in (*ids.ancestors(area), area) if code]
    found.append(CATEGORY + _plain(values["category"] or ""))
    bodies = {values["body"], *(values["co_bodies"] or ())}
    found += sorted(BODY + _plain(code) for code in bodies if code)
    if values["state"] in ledger.OPEN_STATES:
        found.append(OPEN)
    for name in TEXTS:
        found += bigrams.terms(values[name])
    for name in REPORTERS:
        found += [REPORTER + term for term in bigrams.terms(values[name])]
    return found


def keep(
    session: Session, problems: Iterable[Held], history: Iterable[Mapping[str, Any]] = ()
) -> None:
    """Bring the index in step with changed problems; ``history`` says which fields changed.

    Writes nothing for a problem of which nothing changed that the index holds.
    """
    changed: dict[str, set[str]] = {}
    for entry in history:
        if entry["kind"] == "problem":
            changed.setdefault(entry["record_id"], set()).update(_watched(entry["changes"]))
    new, old, gone = [], [], []
    sqlite = is_sqlite(session)
    for one in problems:
        record, stored = one.record, one.stored
        if record.deleted:
            if stored is not None and not stored[2]:
                gone.append(record.id)
        elif stored is None or stored[2]:
            new.append(_row(record, sqlite))
        elif changed.get(record.id) or stored[0] != record.partition:
            old.append(_row(record, sqlite))
    if new:
        insert_rows(session, TABLE, new)
    if old:
        session.execute(_update(sqlite), [{"key": r["problem_id"], "new": r["terms"]} for r in old])
    if gone:
        session.execute(delete(TABLE).where(any_of(session, TABLE.c.problem_id, gone)))


def rebuild(session: Session, batch: int = 2000) -> Iterator[int]:
    """Make the whole index anew from the problems; yields how many are done, after each batch."""
    from server.storage.models import Problem

    source = Problem.__table__
    session.execute(delete(TABLE))
    names = ["id", "partition_id", "state", "category", "body", "co_bodies", *TEXTS, *REPORTERS]
    query = (
        select(*(source.c[name] for name in names))
        .where(source.c.deleted_at.is_(None))
        .order_by(source.c.created_at, source.c.id)
    )
    sqlite, done = is_sqlite(session), 0
    rows = session.execute(query, execution_options={"yield_per": batch}).mappings()
    for part in chunks(rows, batch):
        made = [
            {
                "problem_id": r["id"],
                "terms": as_stored(document(r["partition_id"], dict(r)), sqlite),
            }
            for r in part
        ]
        insert_rows(session, TABLE, made)
        done += len(made)
        yield done


def matches(session: Session, sought: Sought, newest: int | None = None) -> Select[tuple[str]]:
    """The ids of the problems that a search finds; of more than ``newest``, only the last come in.

    A search without a phrase finds all of its area and body.
    """
    query = select(TABLE.c.problem_id)
    if is_sqlite(session):
        index = table(FULL_TEXT, column("rowid"))
        found = select(index.c.rowid).where(_given(f"{FULL_TEXT} MATCH :sought", _match(sought)))
        if newest is not None:
            found = found.order_by(index.c.rowid.desc()).limit(newest)
        return query.where(TABLE.c.doc.in_(found))
    query = query.where(_given("terms @@ CAST(:sought AS tsquery)", _tsquery(sought)))
    if newest is not None:
        query = query.order_by(TABLE.c.doc.desc()).limit(newest)
    return query


def _watched(changes: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for name, (before, after) in changes.items():
        if name in WATCHED or (
            name == "state" and (before in ledger.OPEN_STATES) != (after in ledger.OPEN_STATES)
        ):
            yield name


def _given(condition: str, value: str) -> Any:
    return text(condition).bindparams(bindparam("sought", value, unique=True))


def _document_of(row: Any) -> list[str]:
    return document(row["partition_id"], dict(row))


def _row(record: Record, sqlite: bool) -> dict[str, Any]:
    terms = as_stored(document(record.partition, record.values), sqlite)
    return {"problem_id": record.id, "terms": terms}


def as_stored(terms: Sequence[str], sqlite: bool) -> str:
    """The terms as the database takes them: for a tsvector with their places, none parsed."""
    if sqlite:
        return " ".join(terms)
    return " ".join(f"'{term}':{min(n, 16383)}" for n, term in enumerate(terms, 1))


def _update(sqlite: bool) -> Any:
    new = ":new" if sqlite else "CAST(:new AS tsvector)"
    return text(f"UPDATE problem_search SET terms = {new} WHERE problem_id = :key")


def _plain(code: str) -> str:
    """A code as one term, whatever it is made of."""
    return code.encode().hex()


def _match(sought: Sought) -> str:
    """The query of SQLite's FTS5. No term holds a quote."""

    def said(phrase: Phrase, mark: str = "") -> str:
        quoted = f'"{" ".join(mark + term for term in phrase.terms)}"'
        return f"{quoted} *" if phrase.begins else quoted

    return _query(sought, said, " AND ", " OR ", lambda term: f'"{term}"')


def _tsquery(sought: Sought) -> str:
    def said(phrase: Phrase, mark: str = "") -> str:
        quoted = [f"'{mark}{term}'" for term in phrase.terms]
        if phrase.begins:
            quoted[-1] += ":*"
        return f"({' <-> '.join(quoted)})"

    return _query(sought, said, " & ", " | ", lambda term: f"'{term}'")


def _query(sought: Sought, said: Any, both: str, either: str, one: Any) -> str:
    must = []
    if sought.area != ids.ROOT_AREA:
        must.append(one(AREA + sought.area))
    if sought.body:
        must.append(one(BODY + _plain(sought.body)))
    if sought.is_open:
        must.append(one(OPEN))
    texts = [said(phrase) for phrase in sought.phrases]
    if sought.reporters:
        reporters = [said(phrase, REPORTER) for phrase in sought.phrases]
        texts = [f"({a}{either}{b})" for a, b in zip(texts, reporters, strict=True)]
    ways = [both.join(texts)] if texts else []
    ways += [one(CATEGORY + _plain(code)) for code in sought.categories]
    if ways:
        must.append("(" + either.join(f"({way})" for way in ways) + ")")
    return both.join(must)
