"""Operations from what a person changed: only what differs, against the base that was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared import records
from shared.operations import ADD, CREATE, REMOVE, SET, Operation


@dataclass(frozen=True)
class Held:
    """A record as this phone holds it: where, at which seq and rev it was agreed, what it shows."""

    kind: str
    id: str
    partition: str
    seq: int
    rev: int
    values: Mapping[str, Any]


def bases(held: Held, uncovered: Iterable[Operation]) -> dict[str, int]:
    """Field -> the rev at which its chain of uncovered edits began, where that is not held.rev."""
    found: dict[str, int] = {}
    for operation in uncovered:
        for name in _touched(operation):
            found.setdefault(name, operation.base_of(name))
    return {name: rev for name, rev in found.items() if rev != held.rev}


def _touched(operation: Operation) -> Iterable[str]:
    if operation.op == CREATE:
        return records.FIELDS[operation.kind]
    if operation.op == SET:
        return operation.fields
    return (operation.name,) if operation.op in (ADD, REMOVE) else ()


def edit_operations(
    held: Held, changes: Mapping[str, Any], uncovered: Iterable[Operation] = ()
) -> tuple[Operation, ...]:
    """One set for the plain fields, one add and one remove for each set field; () if all is equal.

    Fields must be declared for the kind (`drafts.check` has seen to it).
    """
    trunk = bases(held, uncovered)
    where: dict[str, Any] = {
        "kind": held.kind, "id": held.id, "partition": held.partition,
        "seq": held.seq, "rev": held.rev,
    }  # fmt: skip
    plain: dict[str, tuple[Any, Any]] = {}
    operations: list[Operation] = []
    for name, new in changes.items():
        was = held.values.get(name)
        if records.FIELDS[held.kind][name].rule != records.ADD_WINS:
            if new != was:
                plain[name] = (was, new)
            continue
        base = {name: trunk[name]} if name in trunk else {}
        before, after = set(was or ()), set(new or ())
        for op, elements in ((ADD, after - before), (REMOVE, before - after)):
            if elements:
                operations.append(
                    Operation(op, **where, name=name, elements=tuple(sorted(elements)), base=base)
                )
    if plain:
        base = {name: rev for name, rev in trunk.items() if name in plain}
        operations.insert(0, Operation(SET, **where, fields=plain, base=base))
    return tuple(operations)
