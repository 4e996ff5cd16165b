"""What a person does, as one transaction each: checked, frozen, on the disk when it returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mobile.core import drafts as rules
from mobile.core import edits, prefill
from mobile.core.clock import Clock
from mobile.core.edits import Held
from mobile.core.errors import DraftInvalid, FieldError, SaveFailed, UnknownRecord
from mobile.core.written import DraftPhoto, HouseholdDraft, ProblemDraft, VisitDraft
from mobile.storage import drafts, journal, lookups, meta, photos, records
from mobile.storage.meta import Identity
from mobile.storage.store import Store
from mobile.sync.push import APP
from shared import ids, ledger, protocol
from shared.operations import ACT, CREATE, Operation, Transaction
from shared.reconcile import Refused


@dataclass(frozen=True)
class _Deed:
    """What one tap does: its operations, its photos, and how the sync screen names it."""

    action: str
    kind: str
    record_id: str
    name: str
    operations: tuple[Operation, ...]
    photos: tuple[DraftPhoto, ...] = ()


class Writing:
    """The writing half of `phone.Phone`. ``new_id`` makes the records' ids."""

    def __init__(self, store: Store, clock: Clock, new_id: Callable[[], str] = ids.new_id) -> None:
        self._store, self._clock, self._new_id = store, clock, new_id

    def save_visit(self, draft: VisitDraft, draft_key: str) -> str:
        """`Phone.save_visit`."""
        values = rules.tidy(draft.values)
        values.setdefault("visited_at", self._clock.wall())

        def deed(db: sqlite3.Connection, me: Identity) -> _Deed:
            partition, name = self._place(db, me, values, draft.grid)
            values.setdefault("target_name", name)
            if not values["target_name"]:
                del values["target_name"]
            area, asked = ids.area_of(partition) or "", values.get("answers")
            running = lookups.campaigns(db, area, values["visited_at"]) if asked else []
            _refuse(rules.check_visit(values, {one.code: one for one in running}))
            deed = self._creation("save_visit", "visit", values, partition, name, draft.photos)
            if draft.solved is None:
                return deed
            solved = self._solved(db, deed.record_id, values, draft.solved)
            operation = Operation(CREATE, "problem", self._new_id(), partition, values=solved)
            return replace(deed, operations=(*deed.operations, operation))

        return self._save(deed, draft_key)

    def report_problem(self, draft: ProblemDraft, draft_key: str) -> str:
        """`Phone.report_problem`."""
        values = rules.tidy(draft.values)
        values.setdefault("found_at", self._clock.wall())
        values.setdefault("source", "worker")

        def deed(db: sqlite3.Connection, me: Identity) -> _Deed:
            partition, _ = self._place(db, me, values, draft.grid)
            asked = lookups.category_data(db, str(values.get("category") or ""))
            _refuse(rules.check_report(values, asked, [one.phase for one in draft.photos]))
            name = str(values["description"])[:20]
            return self._creation(
                "report_problem", "problem", values, partition, name, draft.photos
            )

        return self._save(deed, draft_key)

    def add_household(self, draft: HouseholdDraft) -> str:
        """`Phone.add_household`."""
        values = rules.tidy(draft.values)

        def deed(db: sqlite3.Connection, me: Identity) -> _Deed:
            compound_id = values.get("compound_id")
            compound = records.get(db, compound_id) if compound_id else None
            partition = compound.partition if compound else self._grid(me, draft.grid)
            errors = rules.check("household", values)
            if not values.get("door") and not values.get("address"):
                errors["door"] = FieldError("请填写门牌号", "Door is needed")
            _refuse(errors)
            name = lookups.household_name(db, values)
            return self._creation("add_household", "household", values, partition, name, ())

        return self._save(deed, "")

    def no_change(self, household_id: str) -> str:
        """`Phone.no_change`."""
        with self._store.reading() as db:
            values = _held(db, household_id, "household").values
            last = lookups.last_visit(db, household_id)
        draft = VisitDraft(prefill.no_change_values(household_id, values, last))
        return self.save_visit(draft, "")

    def edit(
        self,
        kind: str,
        record_id: str,
        changes: Mapping[str, Any],
        added: tuple[DraftPhoto, ...] = (),
    ) -> bool:
        """`Phone.edit`."""
        wanted = {
            name: (value.strip() or None) if isinstance(value, str) else value
            for name, value in changes.items()
        }
        _refuse(rules.check_changes(kind, wanted))
        changed = False

        def deed(db: sqlite3.Connection, me: Identity) -> _Deed | None:
            nonlocal changed
            held = _held(db, record_id, kind)
            uncovered = records.pending_on(db, record_id, held.rev, uncovered_only=True)
            operations = edits.edit_operations(held, wanted, [p.operation for p in uncovered])
            taken = [self._photo(kind, record_id, held.partition, photo) for photo in added]
            changed = bool(operations or taken)
            if not changed:
                return None
            name = lookups.name_of_record(db, kind, held.values)
            return _Deed("edit", kind, record_id, name, (*operations, *taken), added)

        self._save(deed, "")
        return changed

    def act(
        self, problem_id: str, action: str, data: Mapping[str, Any], added: tuple[DraftPhoto, ...]
    ) -> None:
        """`Phone.act`."""
        known = ledger.ACTIONS.get(action)
        if known is None:
            raise SaveFailed("not_possible", "没有这个动作", "There is no such action")
        tidied = rules.tidy(data)

        def deed(db: sqlite3.Connection, me: Identity) -> _Deed:
            held = _held(db, problem_id, "problem")
            now = self._clock.wall()
            facts = lookups.facts(db, held, len(added), now)
            code, field = ledger.why_not(held.values, known, me.actor, facts, now)
            _refuse(rules.check_action(known, tidied, (code, field) == ("needs", "after_photo")))
            expect = {"state": held.values["state"], "step": held.values["step"]}
            if action == "dispatch":  # what this phone shows is what is meant
                tidied.setdefault("due_at", facts.deadlines["handle"])
            try:
                ledger.act(held.values, action, me.actor, tidied, now, facts, expect)
            except Refused as refused:
                raise _not_possible(refused) from None
            taken = [self._photo("problem", held.id, held.partition, photo) for photo in added]
            operation = Operation(
                ACT, "problem", held.id, held.partition, held.seq, held.rev,
                action=action, expect=expect, data=tidied,
            )  # fmt: skip
            name = str(held.values.get("description") or "")[:20]
            return _Deed("act", "problem", held.id, name, (*taken, operation), added)

        self._save(deed, "")

    def finish_task(self, task_id: str) -> None:
        """`Phone.finish_task`."""

        def deed(db: sqlite3.Connection, me: Identity) -> _Deed | None:
            held = _held(db, task_id, "task")
            if held.values.get("state") == "done":
                return None
            operation = Operation(
                ACT, "task", held.id, held.partition, held.seq, held.rev,
                action="done", expect={"state": "open"},
            )  # fmt: skip
            name = lookups.name_of_record(db, "task", held.values)
            return _Deed("finish_task", "task", held.id, name, (operation,))

        self._save(deed, "")

    def _creation(
        self,
        action: str,
        kind: str,
        values: Mapping[str, Any],
        partition: str,
        name: str,
        added: tuple[DraftPhoto, ...],
    ) -> _Deed:
        record_id = self._new_id()
        operations = [Operation(CREATE, kind, record_id, partition, values=values)]
        operations += [self._photo(kind, record_id, partition, photo) for photo in added]
        return _Deed(action, kind, record_id, name, tuple(operations), added)

    def _solved(
        self,
        db: sqlite3.Connection,
        visit_id: str,
        visit: Mapping[str, Any],
        given: Mapping[str, Any],
    ) -> dict[str, Any]:
        """The values of what was solved on the spot at a visit."""
        values = rules.solved_values(visit_id, visit, given)
        if not values.get("place"):
            values["place"] = lookups.place_of(db, visit.get("target_id")) or visit.get(
                "target_name", ""
            )
        errors = rules.check("problem", values)
        _refuse({f"solved_{name}": error for name, error in errors.items()})
        return values

    def _photo(
        self, owner_kind: str, owner_id: str, partition: str, draft: DraftPhoto
    ) -> Operation:
        photo = draft.photo
        values = {
            "owner_kind": owner_kind,
            "owner_id": owner_id,
            "sha256": photo.sha256,
            "size": photo.size,
            "width": photo.width,
            "height": photo.height,
            "mime": "image/jpeg",
            "phase": draft.phase,
            "taken_at": draft.taken_at,
            "position": dict(draft.position) if draft.position else None,
        }
        return Operation(CREATE, "photo", self._new_id(), partition, values=rules.tidy(values))

    def _place(
        self, db: sqlite3.Connection, me: Identity, values: Mapping[str, Any], grid: str
    ) -> tuple[str, str]:
        """The partition that a visit or problem belongs to, and its target's name."""
        target_id = values.get("target_id") or values.get("visit_id")
        if ids.is_id(target_id):
            held = records.get(db, str(target_id))
            if held is None:
                raise UnknownRecord(str(target_id))
            return held.partition, lookups.name_of_record(db, held.kind, held.values)
        return self._grid(me, grid), str(values.get("target_name") or "")

    def _grid(self, me: Identity, grid: str) -> str:
        codes = [one.code for one in me.person.grids]
        if grid in codes or (not grid and len(codes) == 1):
            return ids.grid_partition(grid or codes[0])
        raise DraftInvalid({"grid": FieldError("请选择网格", "Please choose the grid")})

    def _save(
        self, make: Callable[[sqlite3.Connection, Identity], _Deed | None], draft_key: str
    ) -> str:
        """Record, photos, frozen transaction and the draft's end: all of it or nothing."""
        with self._store.writing() as db:
            me = meta.identity(db)
            if me is None:
                raise SaveFailed("not_enrolled", "请先登记这部手机", "Enrol this phone first")
            deed = make(db, me)
            if deed is None:
                return ""
            self._need_files(deed.photos)
            transaction = Transaction(
                id=self._new_id(),
                author=me.person.user_id,
                made_at=max(0, self._clock.wall()),
                mono=max(0, self._clock.mono()),
                boot=self._clock.boot,
                scope=(me.epoch, me.scope_rev),
                operations=deed.operations,
                app=APP,
            )
            label = {
                "action": deed.action,
                "kind": deed.kind,
                "id": deed.record_id,
                "name": deed.name,
            }
            n = journal.append(db, transaction, me.device_id, label, me.actor)
            for draft in deed.photos:
                photos.declare(db, draft.photo.sha256, draft.photo.size, n)
            if draft_key:
                drafts.drop(db, draft_key)
            return deed.record_id

    def _need_files(self, added: Iterable[DraftPhoto]) -> None:
        for draft in added:
            photo = draft.photo
            if not photos.is_here(self._store.folder, photo.sha256, photo.size):
                raise DraftInvalid(
                    {
                        "photos": FieldError(
                            "有照片已不在手机上，请重拍", "A photo is gone; retake it"
                        )
                    }
                )


def _held(db: sqlite3.Connection, record_id: str, kind: str) -> Held:
    held = records.get(db, record_id)
    if held is None or held.kind != kind:
        raise UnknownRecord(record_id)
    return held


def _refuse(errors: Mapping[str, FieldError]) -> None:
    if errors:
        raise DraftInvalid(errors)


def _not_possible(refused: Refused) -> SaveFailed | DraftInvalid:
    if refused.code == "needs":
        return DraftInvalid(rules.missing(refused.field))
    return SaveFailed(
        "not_possible", protocol.title(refused.code), protocol.title(refused.code, "en")
    )
