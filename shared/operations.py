"""Operations and transactions: frozen values, and their one spelling on the wire.

A transaction is what a person did with one tap: all of its operations apply or none does. Its text
is frozen when it is saved, so that its hash is the same for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CREATE, SET, ADD, REMOVE, ACT, DELETE = "create", "set", "add", "remove", "act", "delete"
OPERATIONS = (CREATE, SET, ADD, REMOVE, ACT, DELETE)


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of one record.

    ``partition`` and ``seq`` say where its author's device held the record (seq 0: never pulled),
    ``rev`` the record's rev as last agreed there (0: new). ``base`` overrides rev for fields whose
    earliest edit not yet covered by a pull was made at an earlier rev (the trunk of a chain).

    ``values`` belongs to create; ``fields`` (name -> (was, new)) to set; ``name`` and ``elements``
    to add and remove; ``action``, ``expect`` ({"state", "step"}) and ``data`` to act.
    """

    op: str
    kind: str
    id: str
    partition: str
    seq: int = 0
    rev: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    base: Mapping[str, int] = field(default_factory=dict)
    name: str = ""
    elements: tuple[str, ...] = ()
    action: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    def base_of(self, field_name: str) -> int:
        """The rev that this operation's author had seen of a field."""
        return self.base.get(field_name, self.rev)

    def to_json(self) -> dict[str, Any]:
        """The operation as it goes on the wire; empty members are left out."""
        out: dict[str, Any] = {
            "op": self.op, "kind": self.kind, "id": self.id, "partition": self.partition,
        }  # fmt: skip
        if self.op != CREATE:
            out |= {"seq": self.seq, "rev": self.rev}
        if self.op == CREATE:
            out["values"] = dict(self.values)
        elif self.op == SET:
            out["fields"] = {name: list(pair) for name, pair in self.fields.items()}
        elif self.op in (ADD, REMOVE):
            out |= {"name": self.name, "elements": list(self.elements)}
        elif self.op == ACT:
            out |= {"action": self.action, "expect": dict(self.expect), "data": dict(self.data)}
        if self.base:
            out["base"] = dict(self.base)
        return out

    def to_text(self) -> str:
        """The same, as it stands in a transaction's text."""
        return _to_json(self.to_json())

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Operation:
        """An operation from its wire form, which the schema has already found valid."""
        if raw["op"] == CREATE and len(raw) == 5:
            return cls(CREATE, raw["kind"], raw["id"], raw["partition"], values=raw["values"])
        more = dict(raw)
        if "fields" in more:
            more["fields"] = {name: (pair[0], pair[1]) for name, pair in more["fields"].items()}
        if "elements" in more:
            more["elements"] = tuple(more["elements"])
        return cls(**more)


@dataclass(frozen=True, slots=True)
class Transaction:
    """Operations saved together, with what their author's device knew.

    ``made_at`` is the device's wall clock (Unix ms), ``mono`` its monotonic clock (ms) within
    ``boot``; no rule decides by them. ``scope`` is (epoch, scope_rev) as last heard.
    """

    id: str
    author: str
    made_at: int
    mono: int
    boot: str
    scope: tuple[str, int]
    operations: tuple[Operation, ...]
    app: str = ""

    def to_text(self, operations: Iterable[str] | None = None) -> str:
        """The frozen text: what is hashed, stored, sent and never written again.

        ``operations``: their texts, where they were made already.
        """
        head = _to_json(
            {
                "id": self.id,
                "author": self.author,
                "made_at": self.made_at,
                "mono": self.mono,
                "boot": self.boot,
                "scope": list(self.scope),
                "app": self.app,
            }
        )
        texts = operations or [operation.to_text() for operation in self.operations]
        return f'{head[:-1]},"operations":[{",".join(texts)}]}}'

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Transaction:
        """A transaction from its parsed text, which the schema has already found valid."""
        return cls(
            id=raw["id"],
            author=raw["author"],
            made_at=raw["made_at"],
            mono=raw["mono"],
            boot=raw["boot"],
            scope=(raw["scope"][0], raw["scope"][1]),
            app=raw.get("app", ""),
            operations=tuple(Operation.from_json(one) for one in raw["operations"]),
        )
