"""Marshmallow schemas of every message, and of every kind's values, built from records.py.

Requests refuse unknown fields; a phone reads answers with unknown=EXCLUDE, so that a newer server
may say more than an older phone understands.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from marshmallow import (
    EXCLUDE,
    RAISE,
    Schema,
    ValidationError,
    fields,
    validate,
    validates_schema,
)

from shared import ids, protocol, quick, records
from shared import vocabulary as v
from shared.operations import ACT, ADD, CREATE, OPERATIONS, REMOVE, SET

MS_MAX = quick.MS_MAX
_uuid = validate.Regexp(ids.UUID_PATTERN.pattern + r"\Z", error="不是有效的编号 / not a UUID")
_count = validate.Range(0, MS_MAX)


class _Text(fields.String):
    """Text without NUL, which PostgreSQL cannot hold, nor lone surrogates, which UTF-8 cannot."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        _check_text(text)
        return text


class _Degrees(fields.Float):
    """A number as JSON has it: what is kept is the value as it came, so it must be one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class _Flag(fields.Boolean):
    """true or false, nothing that only counts as one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class _Json(fields.Raw):
    """Any JSON, at most 12 levels deep."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        _check_json(value, 0)
        return value


def _check_text(text: str) -> None:
    if not quick.storable(text):
        raise ValidationError("含有无法保存的字符 / has a character that cannot be stored")


def _check_json(value: Any, depth: int) -> None:
    if depth > quick.JSON_DEPTH:
        raise ValidationError("嵌套太深 / nested too deeply")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):  # Python reads NaN and 1e999; no database keeps them
            raise ValidationError("不是有限的数 / not a finite number")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_json(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_json(inner, depth + 1)


class Message(Schema):
    """A request's schema: an unknown field is an error that names it."""

    class Meta:
        unknown = RAISE


class Answer(Schema):
    """An answer's schema: unknown fields are the future's."""

    class Meta:
        unknown = EXCLUDE


class Position(Message):
    """WGS-84, degrees; accuracy in metres."""

    lat = _Degrees(required=True, validate=validate.Range(-90, 90))
    lng = _Degrees(required=True, validate=validate.Range(-180, 180))
    accuracy = _Degrees(allow_none=True, validate=validate.Range(0, 1e6))


def value_field(declared: records.Field, required: bool | None = None) -> fields.Field[Any]:
    """The marshmallow field of one declared field's value."""
    need = declared.required if required is None else required
    more: dict[str, Any] = {"required": need, "allow_none": not declared.required}
    codes = [choice.code for choice in declared.choices]
    match declared.type:
        case records.TEXT:
            shortest = 1 if declared.required else 0
            return _Text(validate=validate.Length(shortest, declared.limit), **more)
        case records.CODE:
            check = validate.OneOf(codes) if codes else validate.Length(1, declared.limit)
            return _Text(validate=check, **more)
        case records.BOOL:
            return _Flag(**more)
        case records.INT | records.MS:
            return fields.Integer(strict=True, validate=validate.Range(-MS_MAX, MS_MAX), **more)
        case records.REF:
            return fields.String(validate=_uuid, **more)
        case records.SET:
            element = _Text(
                required=True, validate=validate.OneOf(codes) if codes else validate.Length(1, 60)
            )
            return fields.List(element, validate=validate.Length(max=50), **more)
        case records.POSITION:
            return fields.Nested(Position, **more)
    return _Json(**more)


def _values_schema(kind: records.Kind) -> type[Schema]:
    declared = {f.name: value_field(f) for f in kind.fields if f.rule != records.SERVER}
    return Message.from_dict(declared, name=f"{kind.name.title()}Values")


# kind -> a schema instance for the values of a create operation.
VALUES: dict[str, Schema] = {name: _values_schema(kind)() for name, kind in records.KINDS.items()}
# kind -> field -> the field that checks one value in a set operation.
_VALUE: dict[str, dict[str, fields.Field[Any]]] = {
    name: {f.name: value_field(f, required=False) for f in kind.fields}
    for name, kind in records.KINDS.items()
}


def check_value(kind: str, name: str, value: Any) -> Any:
    """One field's value, or ValidationError with the field's name."""
    declared = _VALUE[kind].get(name)
    if declared is None:
        raise ValidationError({name: ["没有这一项 / no such field"]})
    try:
        return declared.deserialize(value)
    except ValidationError as error:
        raise ValidationError({name: error.messages}) from None


class Expect(Message):
    """What the author of an action saw: a problem's state and step, a conflict's version, a rev."""

    state = _Text(allow_none=True)
    step = fields.Integer(strict=True, allow_none=True)
    version = fields.Integer(strict=True)
    rev = fields.Integer(strict=True)


class OperationMessage(Message):
    """One operation of a transaction; the members of its `op` are required, others refused."""

    op = fields.String(required=True, validate=validate.OneOf(OPERATIONS))
    kind = fields.String(required=True, validate=validate.OneOf(sorted(records.KINDS)))
    id = fields.String(required=True, validate=_uuid)
    partition = _Text(required=True, validate=validate.Length(3, 60))
    seq = fields.Integer(strict=True, validate=_count)
    rev = fields.Integer(strict=True, validate=_count)
    values = fields.Dict(keys=_Text())
    fields_ = fields.Dict(
        keys=_Text(),
        values=fields.List(fields.Raw(allow_none=True), validate=validate.Length(equal=2)),
        data_key="fields",
        attribute="fields",
    )
    base = fields.Dict(keys=_Text(), values=fields.Integer(strict=True, validate=_count))
    name = _Text()
    elements = fields.List(_Text(), validate=validate.Length(1, 50))
    action = _Text(validate=validate.Length(1, 40))
    expect = fields.Nested(Expect)
    data = fields.Dict(keys=_Text())

    _MEMBERS: ClassVar[dict[str, set[str]]] = {
        CREATE: {"values"},
        SET: {"seq", "rev", "fields"},
        ADD: {"seq", "rev", "name", "elements"},
        REMOVE: {"seq", "rev", "name", "elements"},
        ACT: {"seq", "rev", "action", "expect", "data"},
        "delete": {"seq", "rev"},
    }

    @validates_schema
    def _members(self, data: dict[str, Any], **_: Any) -> None:
        wanted = self._MEMBERS[data["op"]]
        given = set(data) - {"op", "kind", "id", "partition", "base"}
        for name in sorted(wanted - given):
            raise ValidationError("缺少这一项 / missing", name)
        for name in sorted(given - wanted):
            raise ValidationError("不认识的项 / unknown for this op", name)
        kind = data["kind"]
        if data["op"] == CREATE:
            errors = VALUES[kind].validate(data["values"])
            if errors:
                raise ValidationError({"values": errors})
        elif data["op"] == SET:
            for name, (_was, new) in data["fields"].items():
                check_value(kind, name, new)
        elif data["op"] in (ADD, REMOVE):
            check_value(kind, data["name"], data["elements"])
        elif data["op"] == ACT:
            _check_json(data["data"], 0)


class TransactionMessage(Message):
    """The parsed text of one transaction."""

    id = fields.String(required=True, validate=_uuid)
    author = fields.String(required=True, validate=_uuid)
    made_at = fields.Integer(required=True, strict=True, validate=_count)
    mono = fields.Integer(required=True, strict=True, validate=_count)
    boot = _Text(required=True, validate=validate.Length(1, 60))
    scope = fields.Tuple(
        (_Text(validate=validate.Length(max=60)), fields.Integer(strict=True)),
        required=True,
    )
    app = _Text(validate=validate.Length(max=40))
    operations = fields.List(
        fields.Nested(OperationMessage),
        required=True,
        validate=validate.Length(1, protocol.MAX_OPERATIONS),
    )


_TRANSACTION = TransactionMessage()


def load_transaction(raw: Any, clean: bool = False) -> dict[str, Any]:
    """A transaction's parsed text, checked; raises ValidationError that names what is wrong.

    ``clean`` as `quick.transaction` has it.
    """
    if quick.transaction(raw, clean):
        valid: dict[str, Any] = raw
        return valid
    loaded: dict[str, Any] = _TRANSACTION.load(raw)
    return loaded


class Waiting(Message):
    """What a phone says of itself at each contact: what still waits on it."""

    transactions = fields.Integer(required=True, strict=True, validate=_count)
    photos = fields.Integer(required=True, strict=True, validate=_count)
    bytes = fields.Integer(required=True, strict=True, validate=_count)


class Clock(Message):
    """The phone's wall clock (Unix ms), monotonic clock (ms) and boot id."""

    wall = fields.Integer(required=True, strict=True, validate=_count)
    mono = fields.Integer(required=True, strict=True, validate=_count)
    boot = _Text(required=True, validate=validate.Length(1, 60))


_HEADS = fields.Dict(
    keys=_Text(validate=validate.Length(3, 60)),
    values=fields.Tuple(
        (
            fields.Integer(strict=True, validate=_count),
            _Text(validate=validate.Length(max=64)),
        )
    ),
    validate=validate.Length(max=20000),
)


class PushHeader(Message):
    """The first line of a push."""

    v = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))
    epoch = _Text(required=True, validate=validate.Length(max=60))
    app = _Text(validate=validate.Length(max=40))
    clock = fields.Nested(Clock, required=True)
    waiting = fields.Nested(Waiting, required=True)
    heads = _HEADS
    confirmed = fields.Integer(strict=True, validate=_count)
    journal_from = fields.Integer(strict=True, validate=_count)


class GapMessage(Message):
    """Transactions that the phone can no longer read."""

    to = fields.Integer(required=True, strict=True, validate=validate.Range(1, MS_MAX))
    reason = _Text(required=True, validate=validate.Length(1, 200))


class PushLineMessage(Message):
    """A line of a push: [dseq, transaction id, frozen text] or [dseq, null, gap]."""

    dseq = fields.Integer(required=True, strict=True, validate=validate.Range(1, MS_MAX))
    id = fields.String(required=True, allow_none=True, validate=_uuid)
    text = _Text(allow_none=True)
    gap = fields.Nested(GapMessage)


class TransactionAnswer(Answer):
    """What became of one transaction. ``records``: [id, rev] of each record it touched."""

    dseq = fields.Integer(required=True)
    id = fields.String(required=True, allow_none=True)
    result = fields.String(required=True, validate=validate.OneOf(protocol.RESULTS))
    code = fields.String(allow_none=True)
    field = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    records = fields.List(fields.List(fields.Raw()))
    conflicts = fields.List(fields.String())


class PushAnswer(Answer):
    """The answer to a push."""

    epoch = fields.String(required=True)
    last_dseq = fields.Integer(required=True)
    running = fields.String(required=True)
    server_time = fields.Integer(required=True)
    clock_offset = fields.Integer()
    answers = fields.List(fields.Nested(TransactionAnswer), required=True)


class PullRequest(Message):
    """What a phone holds. ``partitions``: id -> [seq, view_rev]."""

    v = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))
    epoch = _Text(required=True, validate=validate.Length(max=60))
    scope_rev = fields.Integer(required=True, strict=True, validate=_count)
    partitions = fields.Dict(
        keys=_Text(validate=validate.Length(3, 60)),
        values=fields.Tuple(
            (
                fields.Integer(strict=True, validate=_count),
                _Text(validate=validate.Length(max=60)),
            )
        ),
        required=True,
        validate=validate.Length(max=20000),
    )
    clock = fields.Nested(Clock, required=True)
    waiting = fields.Nested(Waiting, required=True)
    confirmed = fields.Integer(strict=True, validate=_count)
    photos = fields.List(
        _Text(validate=validate.Regexp(r"[0-9a-f]{64}\Z")),
        validate=validate.Length(max=5000),
    )
    app = _Text(validate=validate.Length(max=40))
    repair = fields.Dict(
        keys=_Text(validate=validate.Length(3, 60)),
        values=fields.List(fields.Integer(strict=True, validate=validate.Range(0, 255))),
    )


class OfferedRow(Message):
    """An agreed row that a phone holds, as the pull brought it."""

    p = _Text(required=True, validate=validate.Length(3, 60))
    kind = fields.String(required=True, validate=validate.OneOf(sorted(records.KINDS)))
    id = fields.String(required=True, validate=_uuid)
    rev = fields.Integer(required=True, strict=True, validate=validate.Range(1, MS_MAX))
    by = fields.String(allow_none=True, validate=_uuid)
    at = fields.Integer(allow_none=True, strict=True, validate=_count)
    v = fields.Dict(keys=_Text(), values=_Json(allow_none=True), required=True)


class OfferRequest(Message):
    """Rows that a restored server lacks or has at a lower rev; at most 1,000 a request."""

    rows = fields.List(fields.Nested(OfferedRow), required=True, validate=validate.Length(max=1000))


class OfferAnswer(Answer):
    """How many of them were kept."""

    kept = fields.Integer(required=True)


class FeedbackItem(Message):
    """A complaint or suggestion."""

    id = fields.String(required=True, validate=_uuid)
    kind = fields.String(
        required=True, validate=validate.OneOf([one.code for one in v.FEEDBACK_KINDS])
    )
    text = _Text(required=True, validate=validate.Length(1, protocol.MAX_FEEDBACK))
    made_at = fields.Integer(required=True, strict=True)
    anonymous = fields.Boolean(required=True)


class FeedbackRequest(Message):
    """What is handed in, and the ids whose answers are asked for."""

    items = fields.List(
        fields.Nested(FeedbackItem), required=True, validate=validate.Length(max=50)
    )
    ask = fields.List(
        fields.String(validate=_uuid), required=True, validate=validate.Length(max=200)
    )


class FeedbackAnswer(Answer):
    """The ids that are safe here, and the answers there are: {"id", "text", "at"}."""

    taken = fields.List(fields.String(), required=True)
    answers = fields.List(fields.Dict(), required=True)


class Look(Message):
    """Somebody opened a household's covered details on a phone; ``at`` by the phone's clock."""

    household_id = fields.String(required=True, validate=_uuid)
    at = fields.Integer(required=True, strict=True, validate=validate.Range(-MS_MAX, MS_MAX))


class LooksRequest(Message):
    """Looks that the server has not been told of."""

    items = fields.List(
        fields.Nested(Look), required=True, validate=validate.Length(max=protocol.MAX_LOOKS)
    )


class LooksAnswer(Answer):
    """How many of them stand in the audit log now, noted before or not."""

    noted = fields.Integer(required=True)


class UnsentKeyAnswer(Answer):
    """The public key (X25519, base64) that a file of unsent work is sealed for."""

    key = fields.String(required=True)


class EnrolRequest(Message):
    """A one-time code for a device; ``device_id`` when a known device enrols again."""

    code = _Text(required=True, validate=validate.Length(4, 64))
    name = _Text(required=True, validate=validate.Length(1, 80))
    app = _Text(validate=validate.Length(max=40))
    device_id = fields.String(validate=_uuid)


class EnrolAnswer(Answer):
    """The device's identity. The token is shown once; the server keeps its hash."""

    device_id = fields.String(required=True)
    token = fields.String(required=True)
    user = fields.Dict(required=True)
    epoch = fields.String(required=True)
    last_dseq = fields.Integer(required=True)
    server_time = fields.Integer(required=True)


class Trouble(Answer):
    """RFC 9457 problem details, with the stable ``code`` and the names of wrong fields."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String()
    errors = fields.Dict()
    retry = fields.Boolean(required=True)
