"""What a row of an imported ledger means for the problems there are, and how it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from server.core.ledger_sheet import Entry, Wrong, is_masked
from server.operations import ledger_facts, numbers
from server.operations.batch import Batch
from server.operations.entries import add_progress, put
from server.storage.database import any_of
from server.storage.models import Problem
from server.storage.tables import Change, User
from shared import categories, ids, ledger, records, timers
from shared import vocabulary as v
from shared.reconcile import EVERY, Record

# Of a known problem: what people wrote, which a sheet may correct.
CORRECTED = ("category", "description", "place", "source", "concern_tags")
# And what only an action in the ledger changes: that a sheet says otherwise is told.
ACTED = {
    "body": ("责任单位", "responsible unit"), "owner": ("责任人", "responsible person"),
    "measure": ("整改措施", "measure"),
}  # fmt: skip
_NEVER_NUMBERED = ("reported", "rejected")
_DISPATCHED = ("dispatched", "in_progress", "suspended", "closed", "reopened")
_SECOND = 1000


@dataclass(frozen=True)
class Verdict:
    """What to do about one row: create, change, same, or bad; and what to tell of it.

    ``kept``: the sheet says what the problem said before somebody changed it.
    """

    what: str
    problem_id: str
    changes: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[Wrong, ...] = ()
    kept: bool = False


def placed(entry: Entry, grid: str) -> Entry:
    """The entry with its grid's code in place of what the sheet calls it."""
    return replace(entry, grid=grid)


class Judge:
    """Compares rows with what there is. Reads only."""

    def __init__(self, session: Session, area_code: str) -> None:
        self.session, self.area_code = session, area_code

    def judge(self, part: Sequence[Entry]) -> Iterator[tuple[Entry, Verdict]]:
        """A verdict for each row of a part, in its order."""
        numbered = self._numbered([one.ledger_no for one in part if one.ledger_no])
        bare = [one for one in part if not one.ledger_no]
        known = self._rows(any_of(self.session, Problem.id, [_id(one) for one in bare]))
        by_id = {row.id: row for row in known}
        beside = self._beside([one for one in bare if _id(one) not in by_id])
        for one in part:
            if one.ledger_no:
                row = numbered.get(one.ledger_no)
            else:
                row = by_id.get(_id(one)) or next(
                    (row for row in beside if _is_same(one, row)), None
                )
            yield one, self._verdict(one, row)

    def _numbered(self, wanted: Iterable[str]) -> dict[str, Any]:
        rows = self._rows(any_of(self.session, Problem.ledger_no, wanted))
        return {row.ledger_no: row for row in rows}

    def _beside(self, entries: Sequence[Entry]) -> list[Any]:
        """What was found in the same second in the same grid: our own export of it, it may be."""
        if not entries:
            return []
        moments = [
            and_(
                Problem.found_at >= one.values["found_at"],
                Problem.found_at < one.values["found_at"] + _SECOND,
                Problem.partition_id == ids.grid_partition(one.grid),
            )
            for one in entries
        ]
        return self._rows(or_(*moments))

    def _rows(self, condition: Any) -> list[Any]:
        table = Problem.__table__
        names = ("id", "partition_id", "ledger_no", "state", "found_at", "deleted_at", *CORRECTED,
                 *ACTED)  # fmt: skip
        query = select(*(table.c[name] for name in names)).where(condition)
        return list(self.session.execute(query))

    def _verdict(self, entry: Entry, row: Any) -> Verdict:
        if row is None:
            return self._new(entry)
        if row.deleted_at is not None:
            return _bad(row.id, "台账编号", "这个问题已被删除，不会重新建立",
                        "This problem was deleted and is not made again")  # fmt: skip
        if not ids.is_within(ids.area_of(row.partition_id) or "", self.area_code):
            return _bad(row.id, "台账编号", "这个编号属于别的区域",
                        "This number belongs to another area")  # fmt: skip
        remarks = []
        stands = {"archived": "closed"}.get(row.state, row.state)
        if stands != {"archived": "closed"}.get(entry.state, entry.state):
            said, is_ = (v.word(v.PROBLEM_STATES, one) for one in (entry.state, row.state))
            remarks.append(
                Wrong("完成情况", f"表里是“{said}”，台账里是“{is_}”：没有改，请在台账里办理",
                      f"The sheet says {said}, the ledger {is_}: not changed, act in the ledger")
            )  # fmt: skip
        for name, (zh, en) in ACTED.items():
            said = entry.values[name]
            if said and name not in entry.masked and not _alike(said, getattr(row, name)):
                remarks.append(
                    Wrong(zh, "与台账里的不同：没有改，请在台账里办理",
                          f"The {en} differs from the ledger's: not changed, act in the ledger")
                )  # fmt: skip
        differ = {
            name: entry.values[name]
            for name in CORRECTED
            if name not in entry.masked
            and row.state != "archived"
            and entry.values[name] != (getattr(row, name) or _BLANK[name])
        }
        earlier = self._earlier(row.id) if differ else {}
        changes = {n: x for n, x in differ.items() if x not in earlier.get(n, ())}
        what = "change" if changes else "same"
        return Verdict(what, row.id, changes, tuple(remarks), len(changes) < len(differ))

    def _new(self, entry: Entry) -> Verdict:
        if entry.state == "merged":
            return _bad("", "完成情况", "已并案：没有写并入哪一件，不能单独导入",
                        "Merged, but not into which one: it cannot come in by itself")  # fmt: skip
        remarks = []
        if entry.state == "closure_requested":
            remarks.append(
                Wrong("完成情况", "待核查：按“处理中”导入，请重新申请销号",
                      "Waiting to be verified: comes in as in progress, ask for closure again")
            )  # fmt: skip
        if entry.masked:
            remarks.append(
                Wrong("问题描述", "这一行是脱敏过的，只能照样导入",
                      "This row was masked: it comes in as it is")
            )  # fmt: skip
        return Verdict("create", _id(entry), remarks=tuple(remarks))

    def _earlier(self, problem_id: str) -> dict[str, list[Any]]:
        """The values that fields had before they were changed."""
        found: dict[str, list[Any]] = {}
        query = select(Change.changes).where(Change.record_id == problem_id)
        for changes in self.session.scalars(query):
            for name, (before, _after) in changes.items():
                found.setdefault(name, []).append(before)
        return found


_BLANK: dict[str, Any] = {name: [] if name == "concern_tags" else "" for name in CORRECTED}


def write(batch: Batch, judged: Sequence[tuple[Entry, Verdict]]) -> None:
    """Put what the verdicts say into the batch."""
    batch.load({"problem": [v.problem_id for _, v in judged if v.what == "change"]}, ())
    numbers.reserve(batch, [entry.ledger_no for entry, v in judged if v.what == "create"])
    for entry, verdict in judged:
        _write(batch, entry, verdict)


def _write(batch: Batch, entry: Entry, verdict: Verdict) -> None:
    if verdict.what == "create":
        _create(batch, entry, verdict.problem_id)
    elif verdict.what == "change":
        one = batch.get("problem", verdict.problem_id)
        if one is not None and not one.record.deleted:
            put(batch, one.record, verdict.changes)


def _alike(one: str, other: str | None) -> bool:
    """The same words, however a sheet spaces and breaks them."""
    return "".join(one.split()) == "".join((other or "").split())


def _bad(problem_id: str, column: str, zh: str, en: str) -> Verdict:
    return Verdict("bad", problem_id, remarks=(Wrong(column, zh, en),))


def _id(entry: Entry) -> str:
    """A row without a number is known by its content, whenever it is brought in."""
    if entry.ledger_no:
        return ids.new_id()
    return ids.uuid7(max(0, entry.values["found_at"]), entry.content)


def _is_same(entry: Entry, row: Any) -> bool:
    """Whether a row is our own export of a problem, masked or not."""
    return (
        row.partition_id == ids.grid_partition(entry.grid)
        and 0 <= row.found_at - entry.values["found_at"] < _SECOND
        and row.category == entry.values["category"]
        and fits(entry.values["description"], row.description)
    )


def fits(shown: str, real: str) -> bool:
    """Whether a text may be another one with something hidden in it."""
    shown, real = (unicodedata.normalize("NFKC", text).strip() for text in (shown, real))
    if not is_masked(shown):
        return shown == real
    parts = [re.escape(part) for part in re.split(r"\*+", shown)]
    return re.fullmatch(".{0,24}?".join(parts), real, re.DOTALL) is not None


def _create(batch: Batch, entry: Entry, problem_id: str) -> None:
    """A new problem as the sheet tells it, with the one entry of its history."""
    state = {"closure_requested": "in_progress", "archived": "closed"}.get(entry.state, entry.state)
    given = entry.values
    found_at = min(given["found_at"], batch.now)
    values: dict[str, Any] = dict.fromkeys(records.FIELDS["problem"])
    values |= {name: x for name, x in given.items() if name in values}
    values |= {
        "found_at": given["found_at"], "state": state, "step": 0, "extensions": 0,
        "round": 2 if state == "reopened" else 1, "reported_at": found_at,
    }  # fmt: skip
    spot = bool(given.get("solved_on_spot")) and state == "closed" and not entry.ledger_no
    if state not in _NEVER_NUMBERED and not spot:
        values["registered_at"] = found_at
    if state in _DISPATCHED and values["body"] and not spot:
        values["dispatched_at"] = found_at
    if state == "closed":
        values["closed_at"] = given["closed_at"] or given["due_at"] or found_at
        values["closed_by"] = _account(batch, entry.closed_by)
        if values["due_at"] is not None and values["closed_at"] > values["due_at"]:
            values["overdue_at"] = values["due_at"]
    else:
        values["closed_at"] = None
        if values["due_at"] is not None and values["due_at"] > batch.now:
            values["overdue_at"] = None  # it was dispatched or accepted late; the handling is not
        _start_clocks(batch, values)
    if values["registered_at"] is not None:
        values["ledger_no"] = entry.ledger_no or numbers.next_number(
            batch, ids.grid_partition(entry.grid)
        )
    else:
        values["ledger_no"] = entry.ledger_no or None
    kept = ledger_facts.retention()
    values["deadline_at"] = timers.deadline(values)
    values["next_at"] = timers.next_event(values, values["closed_at"] or batch.now, kept)
    stamp = {EVERY: (1, batch.sender.device_id, 0)}
    record = Record("problem", problem_id, ids.grid_partition(entry.grid), 1, values, stamp)
    batch.put(record)
    progress = ledger.Progress("import", "", state, 0, _note(entry, values), {}, values["round"])
    add_progress(batch, record, progress)


def _start_clocks(batch: Batch, values: dict[str, Any]) -> None:
    """The clocks of an open problem run from now, but for a deadline that the sheet names."""
    data = ledger_facts.category(batch, str(values["category"] or ""))
    ends = categories.deadlines(data, batch.now, ledger_facts.calendar(batch))
    if values["state"] in ("reported", "registered", "reopened"):
        values["dispatch_due_at"] = ends.get("dispatch")
    elif values["due_at"] is None:
        values["due_at"] = ends.get("handle")
        values["due_unit"] = categories.limit(data, "handle").unit
    if values["state"] == "suspended":
        values["paused_at"] = batch.now
    values |= timers.lapsed(values, batch.now)


def _account(batch: Batch, name: str) -> str | None:
    """The account of a person of this name, if there is one alone."""
    if not name:
        return None
    key = ("person", name)
    if key not in batch.looked_up:
        found = list(batch.session.scalars(select(User.id).where(User.name == name).limit(2)))
        batch.looked_up[key] = found[0] if len(found) == 1 else None
    account: str | None = batch.looked_up[key]
    return account


def _note(entry: Entry, values: dict[str, Any]) -> str:
    """What the sheet says and no field holds."""
    parts = [f"导入自表格第 {entry.row} 行"]
    if entry.closed_by and values["closed_by"] is None:
        parts.append(f"销号人：{entry.closed_by}")
    for name, text in (("round", "第{}轮"), ("extensions", "延期{}次")):
        if entry.values.get(name):
            parts.append(text.format(entry.values[name]))
    if entry.note:
        parts.append(entry.note)
    return "；".join(parts)[: records.FIELDS["progress"]["reason"].limit]
