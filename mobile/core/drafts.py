"""Drafts: what must be filled in before something can be saved, told field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mobile.core.errors import FieldError
from shared import campaigns, categories, ids, ledger, quick, records
from shared.campaigns import Campaign

# What a person must fill in, at most six each. The rest of the required fields fill themselves.
ASKED: dict[str, tuple[str, ...]] = {
    "visit": ("target_kind", "target_id", "reason", "outcome"),
    "problem": ("category", "description", "place"),
    "household": ("compound_id", "building", "door"),
}
MOST_ASKED = 6


def tidy(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they are saved: texts without outer blanks; what is empty is left out."""
    tidied: dict[str, Any] = {}
    for name, value in values.items():
        kept = value.strip() if isinstance(value, str) else value
        if kept is None or kept == "" or kept == [] or kept == {}:
            continue
        tidied[name] = sorted(set(kept)) if isinstance(kept, (set, frozenset, tuple)) else kept
    return tidied


def check(kind: str, values: Mapping[str, Any]) -> dict[str, FieldError]:
    """What is wrong with the values of a new record: field -> error; {} if it can be saved."""
    given = dict(values)
    errors: dict[str, FieldError] = {}
    if not quick.values(kind, given):
        from shared import schemas

        wrong = schemas.VALUES[kind].validate(given)
        errors = {name: _told(kind, name, messages, values) for name, messages in wrong.items()}
    if kind == "visit":
        errors |= _check_target(values)
    return errors


def check_visit(
    values: Mapping[str, Any], running: Mapping[str, Campaign]
) -> dict[str, FieldError]:
    """What is wrong with a visit: also what a campaign asks of whoever was met.

    ``running``: the campaigns by code. Only those that were begun are looked at; an error stands
    under "<campaign>.<question>".
    """
    errors = check("visit", values)
    answers = values.get("answers")
    if not isinstance(answers, Mapping) or values.get("outcome") != "met":
        return errors
    for code, given in answers.items():
        campaign = running.get(code)
        if campaign is not None and isinstance(given, Mapping):
            for one in campaigns.missing(campaign, given):
                errors[f"{code}.{one.code}"] = FieldError(
                    f"请回答：{one.zh}", f"Please answer: {one.en}"
                )
    return errors


def solved_values(
    visit_id: str, visit: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The problem that was solved on the spot at a visit: its own words, else the visit's."""
    said = (given.get("description"), visit.get("appeal"), visit.get("note"))
    carried = {name: visit.get(name) for name in ("target_kind", "target_id", "position",
                                                  "concern_tags")}  # fmt: skip
    values = carried | {
        "visit_id": visit_id,
        "category": given.get("category"),
        "description": next((one.strip() for one in said if one and one.strip()), None),
        "found_at": visit.get("visited_at"),
        "source": "worker",
        "solved_on_spot": True,
    }
    return tidy(values)


def check_report(
    values: Mapping[str, Any], category: Mapping[str, Any], phases: Iterable[str]
) -> dict[str, FieldError]:
    """What is wrong with a problem that is reported: also the photo its category asks for.

    ``category`` is that category's data, ``phases`` those of the photos that were taken.
    """
    errors = check("problem", values)
    if categories.lacks_before(category, phases):
        errors["photos"] = FieldError(
            "这类问题要先拍一张整改前的照片", "This kind asks for a photo of how it is now"
        )
    return errors


def check_changes(kind: str, changes: Mapping[str, Any]) -> dict[str, FieldError]:
    """What is wrong with an edit: unknown and fixed fields, values that do not fit."""
    from marshmallow import ValidationError

    from shared import schemas

    errors: dict[str, FieldError] = {}
    for name, value in changes.items():
        declared = records.FIELDS.get(kind, {}).get(name)
        if declared is None or declared.rule in (records.SERVER, records.FIXED):
            errors[name] = FieldError(f"{_zh(kind, name)}不能改", f"{_en(kind, name)} is fixed")
            continue
        if declared.required and value in (None, ""):
            errors[name] = _missing(kind, name)
            continue
        try:
            schemas.check_value(kind, name, value)
        except ValidationError as error:
            messages = error.messages_dict.get(name, [])
            errors[name] = _told(kind, name, messages, changes)
    return errors


def check_action(
    action: ledger.Action, data: Mapping[str, Any], missing_photo: bool = False
) -> dict[str, FieldError]:
    """What an action of the ledger still needs."""
    errors = {
        name: _missing("problem", name) for name in action.needs if data.get(name) in (None, "", [])
    }
    if missing_photo:
        errors["photos"] = FieldError("请拍一张整改后的照片", "A photo taken afterwards is needed")
    return errors


def missing(name: str) -> dict[str, FieldError]:
    """What an action of the ledger found missing while it was tried."""
    return {name: _missing("problem", name)}


def _check_target(values: Mapping[str, Any]) -> dict[str, FieldError]:
    target, kind = values.get("target_id"), values.get("target_kind")
    if target is not None and not ids.is_id(target):
        return {}
    if target is None and kind in ("household", "compound"):
        return {"target_id": _missing("visit", "target_id")}
    if target is None and not values.get("target_name"):
        return {"target_name": _missing("visit", "target_name")}
    return {}


def _told(kind: str, name: str, messages: Any, values: Mapping[str, Any]) -> FieldError:
    """One sentence a person understands, whatever the schema said."""
    value = values.get(name)
    declared = records.FIELDS.get(kind, {}).get(name)
    zh, en = _zh(kind, name), _en(kind, name)
    if declared is None:
        return FieldError(f"不认识的项：{name}", f"Unknown field: {name}")
    if value in (None, ""):
        return _missing(kind, name)
    if isinstance(value, str) and len(value) > declared.limit:
        return FieldError(
            f"{zh}太长，最多{declared.limit}个字", f"{en} is too long: {declared.limit} at most"
        )
    if any("含有无法保存的字符" in text for text in _flat(messages)):
        return FieldError(f"{zh}里有无法保存的字符", f"{en} has characters that cannot be stored")
    return FieldError(f"{zh}填得不对", f"{en} is not valid")


def _flat(messages: Any) -> Iterable[str]:
    if isinstance(messages, Mapping):
        for inner in messages.values():
            yield from _flat(inner)
    elif isinstance(messages, (list, tuple)):
        for inner in messages:
            yield from _flat(inner)
    else:
        yield str(messages)


def _missing(kind: str, name: str) -> FieldError:
    return FieldError(f"请填写{_zh(kind, name)}", f"{_en(kind, name)} is needed")


# Names of an action's data that are no field of the problem.
_OTHER = {"reason": ("原因", "Reason"), "co_body": ("到场单位", "Which unit")}


def _zh(kind: str, name: str) -> str:
    declared = records.FIELDS.get(kind, {}).get(name)
    return declared.zh if declared else _OTHER.get(name, (name, name))[0]


def _en(kind: str, name: str) -> str:
    declared = records.FIELDS.get(kind, {}).get(name)
    return declared.en if declared else _OTHER.get(name, (name, name))[1]
