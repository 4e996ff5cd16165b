"""A quick yes for transactions that are plainly valid: a tenth of what marshmallow takes.

Built from records.py and the limits that shared.schemas uses. Whatever is refused here is asked
again of `schemas.TransactionMessage`, which decides and names the error; so this may only say yes
where the schema says yes and hands the same values back. tests/shared/test_quick.py holds it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from shared import ids, protocol, records
from shared.operations import ACT, ADD, CREATE, REMOVE, SET

MS_MAX = 2**53  # what every JSON reader holds exactly
JSON_DEPTH = 12

Check = Callable[[Any], bool]
_is_uuid = ids.UUID_PATTERN.fullmatch


def transaction(raw: Any, clean: bool = False) -> bool:
    """Whether the parsed text of a transaction is plainly valid.

    ``clean``: it was read from UTF-8 without any escape by number, so that every text in it can be
    stored (`storable`); else that is looked at here.
    """
    return (
        type(raw) is dict
        and (raw.keys() == _WITH_APP or raw.keys() == _WITHOUT_APP)
        and _is_id(raw["id"])
        and _is_id(raw["author"])
        and _is_count(raw["made_at"])
        and _is_count(raw["mono"])
        and _is_text(raw["boot"], 1, 60)
        and _is_scope(raw["scope"])
        and _is_app(raw.get("app", ""))
        and _are_operations(raw["operations"])
        and (clean or _is_clean(raw))
    )


def pull_request(raw: Any, clean: bool = False) -> bool:
    """Whether a parsed pull request is plainly valid: the members that every phone sends.

    ``clean`` as `transaction` has it.
    """
    if type(raw) is not dict or not _PULL.keys() - {"confirmed", "photos", "app"} <= raw.keys():
        return False
    for name, value in raw.items():
        check = _PULL.get(name)
        if check is None or not check(value):
            return False
    return clean or _is_clean(raw)


def _is_text(value: Any, shortest: int = 0, longest: int = 10**9) -> bool:
    return type(value) is str and shortest <= len(value) <= longest


def storable(text: str) -> bool:
    """Text without NUL, which PostgreSQL cannot hold, nor lone surrogates, which UTF-8 cannot."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_clean(raw: Any) -> bool:
    """Whether every text in it is storable, looked at all together."""
    text = _to_json(raw)
    return "\\u0000" not in text and storable(text)


_BARE = {bool, int, float, type(None)}
_to_json = json.JSONEncoder(ensure_ascii=False).encode


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MS_MAX


def _is_id(value: Any) -> bool:
    return type(value) is str and _is_uuid(value) is not None


def _is_app(value: Any) -> bool:
    return _is_text(value, 0, 40)


def _is_scope(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) == 2
        and _is_text(value[0], 0, 60)
        and type(value[1]) is int
    )


def _are_operations(value: Any) -> bool:
    return (
        type(value) is list
        and 1 <= len(value) <= protocol.MAX_OPERATIONS
        and all(map(_is_operation, value))
    )


_WITHOUT_APP = {"id", "author", "made_at", "mono", "boot", "scope", "operations"}
_WITH_APP = _WITHOUT_APP | {"app"}


def _is_clock(value: Any) -> bool:
    return (
        type(value) is dict
        and value.keys() == {"wall", "mono", "boot"}
        and _is_count(value["wall"])
        and _is_count(value["mono"])
        and _is_text(value["boot"], 1, 60)
    )


def _is_waiting(value: Any) -> bool:
    return (
        type(value) is dict
        and value.keys() == {"transactions", "photos", "bytes"}
        and all(map(_is_count, value.values()))
    )


def _are_cursors(value: Any) -> bool:
    return (
        type(value) is dict
        and len(value) <= 20000
        and all(_is_text(name, 3, 60) for name in value)
        and all(map(_is_cursor, value.values()))
    )


def _is_cursor(value: Any) -> bool:
    return (
        type(value) is list
        and len(value) == 2
        and _is_count(value[0])
        and _is_text(value[1], 0, 60)
    )


_PULL: dict[str, Check] = {
    "v": lambda value: type(value) is int and 1 <= value <= 1000,
    "epoch": lambda value: _is_text(value, 0, 60),
    "scope_rev": _is_count,
    "partitions": _are_cursors,
    "clock": _is_clock,
    "waiting": _is_waiting,
    "confirmed": _is_count,
    "photos": lambda value: value == [],
    "app": _is_app,
}
_COMMON = {"op", "kind", "id", "partition"}
_MEMBERS: dict[str, set[str]] = {
    CREATE: _COMMON | {"values"},
    SET: _COMMON | {"seq", "rev", "fields"},
    ADD: _COMMON | {"seq", "rev", "name", "elements"},
    REMOVE: _COMMON | {"seq", "rev", "name", "elements"},
    ACT: _COMMON | {"seq", "rev", "action", "expect", "data"},
    "delete": _COMMON | {"seq", "rev"},
}


def _is_operation(raw: Any) -> bool:
    if type(raw) is not dict:
        return False
    op, kind = raw.get("op"), raw.get("kind")
    members = _MEMBERS.get(op) if type(op) is str else None
    if members is None or type(kind) is not str or kind not in records.KINDS:
        return False
    if raw.keys() != members and raw.keys() - {"base"} != members:
        return False
    if not (_is_id(raw["id"]) and _is_text(raw["partition"], 3, 60)):
        return False
    if "base" in raw and not _is_base(raw["base"]):
        return False
    if op == CREATE:
        return _are_values(kind, raw["values"])
    if not (_is_count(raw["seq"]) and _is_count(raw["rev"])):
        return False
    if op == SET:
        return _are_changes(kind, raw["fields"])
    if op == ACT:
        action = _is_text(raw["action"], 1, 40)
        return action and _is_expected(raw["expect"]) and _is_object(raw["data"])
    if op in (ADD, REMOVE):
        name, elements = raw["name"], raw["elements"]
        check = _ANY_VALUE[kind].get(name) if type(name) is str else None
        return check is not None and _are_elements(elements) and check(elements)
    return True


def _is_base(value: Any) -> bool:
    return type(value) is dict and all(map(_is_text, value)) and all(map(_is_count, value.values()))


def values(kind: str, given: Any) -> bool:
    """Whether these are plainly valid values of a new record of a kind."""
    return _are_values(kind, given) and all(
        storable(one) if type(one) is str else type(one) in _BARE or _is_clean(one)
        for one in given.values()
    )


def _are_values(kind: str, given: Any) -> bool:
    if type(given) is not dict or not _REQUIRED[kind] <= given.keys():
        return False
    checks = _VALUES[kind]
    for name, value in given.items():
        check = checks.get(name)
        if check is None or not check(value):
            return False
    return True


def _are_changes(kind: str, changes: Any) -> bool:
    if type(changes) is not dict:
        return False
    for name, pair in changes.items():
        check = _ANY_VALUE[kind].get(name)
        if check is None or type(pair) is not list or len(pair) != 2 or not check(pair[1]):
            return False
    return True


def _are_elements(value: Any) -> bool:
    return type(value) is list and 1 <= len(value) <= 50 and all(map(_is_text, value))


def _is_expected(value: Any) -> bool:
    if type(value) is not dict:
        return False
    for name, expected in value.items():
        if name == "state":
            if expected is not None and not _is_text(expected):
                return False
        elif name == "step":
            if expected is not None and type(expected) is not int:
                return False
        elif name not in ("version", "rev") or type(expected) is not int:
            return False
    return True


def _is_object(value: Any) -> bool:
    return type(value) is dict and _is_json(value)


def _is_json(value: Any, depth: int = 0) -> bool:
    if depth > JSON_DEPTH:
        return False
    if type(value) is dict:
        return all(_is_json(inner, depth + 1) for inner in value.values())
    if type(value) is list:
        return all(_is_json(inner, depth + 1) for inner in value)
    return type(value) is not float or math.isfinite(value)


def _is_number(value: Any, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high


def _is_position(value: Any) -> bool:
    if type(value) is not dict or not {"lat", "lng"} <= value.keys() <= {"lat", "lng", "accuracy"}:
        return False
    accuracy = value.get("accuracy")
    return (
        _is_number(value["lat"], -90, 90)
        and _is_number(value["lng"], -180, 180)
        and (accuracy is None or _is_number(accuracy, 0, 1e6))
    )


def _check_of(declared: records.Field) -> Check:
    """The check of one field's value."""
    codes = frozenset(choice.code for choice in declared.choices)
    limit, shortest = declared.limit, 1 if declared.required else 0
    match declared.type:
        case records.TEXT:
            return lambda v: type(v) is str and shortest <= len(v) <= limit
        case records.CODE if codes:
            return lambda v: type(v) is str and v in codes
        case records.CODE:
            return lambda v: type(v) is str and 1 <= len(v) <= limit
        case records.BOOL:
            return lambda v: type(v) is bool
        case records.INT | records.MS:
            return lambda v: type(v) is int and -MS_MAX <= v <= MS_MAX
        case records.REF:
            return _is_id
        case records.SET:
            return lambda v: (
                type(v) is list
                and len(v) <= 50
                and all(
                    type(one) is str and (one in codes if codes else _is_text(one, 1, 60))
                    for one in v
                )
            )
        case records.POSITION:
            return _is_position
    return _is_json


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _checks(kind: records.Kind, server_too: bool) -> dict[str, Check]:
    return {
        f.name: _check_of(f) if f.required else _or_none(_check_of(f))
        for f in kind.fields
        if server_too or f.rule != records.SERVER
    }


_VALUES = {name: _checks(kind, False) for name, kind in records.KINDS.items()}
_ANY_VALUE = {name: _checks(kind, True) for name, kind in records.KINDS.items()}
_REQUIRED = {
    name: {f.name for f in kind.fields if f.required and f.rule != records.SERVER}
    for name, kind in records.KINDS.items()
}
