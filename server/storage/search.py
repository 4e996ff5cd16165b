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

from sqlalchemy import Select, bindparam, column, delete, func, select, table, text
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
FEW = 10_000  # what the index may find, to be put in order
LAST = 100_000  # of the last come in, what a broad search looks at


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


def newest(session: Session, sought: Sought, most: int) -> tuple[list[str], bool]:
    """The ids that a search finds, the last come in first, at most so many; and whether these are
    not all, or it was too broad to be looked for among all.

    PostgreSQL's index knows no order and no phrases. Asked for the last ones, its planner reads the
    table backwards, to its end where the words are rare. So what leaves little by its estimate is
    fetched by the index and then put in order; what does not is looked for among the last LAST.
    """
    if is_sqlite(session):
        found: list[str] = [*session.scalars(_matches(session, sought, most + 1))]
        return found[:most], len(found) > most
    condition = _given("terms @@ CAST(:sought AS tsquery)", _tsquery(sought), inline=True)
    if _estimated(session, condition) <= FEW:
        some = select(TABLE.c.doc, TABLE.c.problem_id).where(condition).limit(2 * FEW + 1)
        held = some.cte("held").prefix_with("MATERIALIZED", dialect="postgresql")
        counted = select(held.c.problem_id, func.count().over()).order_by(held.c.doc.desc())
        rows = session.execute(counted.limit(most + 1)).all()
        if not rows or rows[0][1] <= 2 * FEW:
            return [row[0] for row in rows[:most]], len(rows) > most
    last = session.scalar(select(func.max(TABLE.c.doc))) or 0
    query: Any = select(TABLE.c.problem_id).where(condition, TABLE.c.doc > last - LAST)
    found = [*session.scalars(query.order_by(TABLE.c.doc.desc()).limit(most + 1))]
    return found[:most], last > LAST or len(found) > most


def _estimated(session: Session, condition: Any) -> int:
    """How many rows PostgreSQL expects to find; it knows how often the commoner terms are."""
    query = select(TABLE.c.doc).where(condition)
    compiled = query.compile(session.connection(), compile_kwargs={"render_postcompile": True})
    plan = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}").scalar()
    return int(plan[0]["Plan"]["Plan Rows"])  # type: ignore[index]


def matches(session: Session, sought: Sought) -> Select[tuple[str]]:
    """The ids of all problems that a search finds.

    A search without a phrase finds all of its area and body.
    """
    return _matches(session, sought)


def _matches(session: Session, sought: Sought, newest: int | None = None) -> Select[tuple[str]]:
    query = select(TABLE.c.problem_id)
    if is_sqlite(session):
        index = table(FULL_TEXT, column("rowid"))
        found = select(index.c.rowid).where(_given(f"{FULL_TEXT} MATCH :sought", _match(sought)))
        if newest is not None:
            found = found.order_by(index.c.rowid.desc()).limit(newest)
            query = query.order_by(TABLE.c.doc.desc())
        return query.where(TABLE.c.doc.in_(found))
    return query.where(_given("terms @@ CAST(:sought AS tsquery)", _tsquery(sought), inline=True))


def _watched(changes: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for name, (before, after) in changes.items():
        if name in WATCHED or (
            name == "state" and (before in ledger.OPEN_STATES) != (after in ledger.OPEN_STATES)
        ):
            yield name


def _given(condition: str, value: str, inline: bool = False) -> Any:
    """A condition of the index's own; ``inline``: the value stands in the statement, so that it is
    planned for what it asks, not once for all."""
    given: Any = bindparam("sought", value, unique=True, literal_execute=inline)
    return text(condition).bindparams(given)


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
