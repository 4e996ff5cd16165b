"""Campaigns (专项): what is asked at the doors while one runs; kept with the reference data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.export_columns import SHANGHAI
from server.errors import Trouble
from server.operations.accounts import operator
from server.operations.transact import Entry, submit_many
from server.storage.database import db
from server.storage.models import Reference
from shared import campaigns, ids
from shared.campaigns import Campaign
from shared.operations import CREATE, SET, Operation

NAMES = ("name", "name_en", "data", "active")


def known(session: Session) -> dict[str, Campaign]:
    """code -> campaign, those that are over too: their answers are read for years."""
    query = select(Reference).where(Reference.type == "campaign", Reference.deleted_at.is_(None))
    return {one.code: campaigns.read(_values(one)) for one in session.scalars(query)}


def listed() -> list[tuple[Campaign, bool]]:
    """(campaign, whether it is switched on), the latest to begin first."""
    query = select(Reference).where(Reference.type == "campaign", Reference.deleted_at.is_(None))
    found = [
        (campaigns.read(_values(one)), one.active is not False) for one in db.session.scalars(query)
    ]
    return sorted(found, key=lambda pair: (-(pair[0].starts_at or 0), pair[0].code))


def read(path: Path) -> dict[str, Any]:
    """A campaign from a JSON file, as a reference record's values. Raises Trouble "invalid"."""
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(given, dict):
            raise ValueError(path.name)
        data = {
            "starts_at": _begin(given.get("starts")),
            "ends_at": _begin(given.get("ends"), after=True),
            "areas": [str(one) for one in given.get("areas") or ()],
            "questions": given.get("questions"),
        }
    except (ValueError, TypeError, OSError) as error:
        raise Trouble(
            "invalid", f"{path.name} 读不了 / {path.name} cannot be read: {error}"
        ) from None
    values = {
        "type": "campaign", "code": str(given.get("code") or ""),
        "name": str(given.get("name") or "")[:80], "name_en": str(given.get("name_en") or "")[:120],
        "data": data, "active": given.get("active") is not False,
    }  # fmt: skip
    mistake = campaigns.wrong(values)
    if mistake:
        raise Trouble("invalid", f"{path.name}：{mistake}")
    return values


def save(values: Mapping[str, Any], by: str | None = None) -> str:
    """Make a campaign so; created, changed or unchanged. Answers that were given stand."""
    query = select(Reference).where(
        Reference.type == "campaign", Reference.code == values["code"],
        Reference.deleted_at.is_(None),
    )  # fmt: skip
    standing = db.session.scalar(query)
    if standing is None:
        partition = ids.area_partition(ids.ROOT_AREA)
        operation = Operation(CREATE, "reference", ids.new_id(), partition, values=dict(values))
        done = "created"
    else:
        now = _values(standing)
        fields = {n: (now[n], values[n]) for n in NAMES if now[n] != values[n]}
        if not fields:
            return "unchanged"
        operation = Operation(
            SET, "reference", standing.id, standing.partition_id, seq=standing.seq,
            rev=standing.rev, fields=fields,
        )  # fmt: skip
        done = "changed"
    author = by or operator()
    list(submit_many([Entry(author, [operation])], kind="import", sender=by))
    return done


def _values(one: Reference) -> dict[str, Any]:
    return {"code": one.code} | {name: getattr(one, name) for name in NAMES}


def _begin(text: Any, after: bool = False) -> int | None:
    """The begin of a day in China, ms; ``after``: of the next, so that the day itself counts."""
    if not text:
        return None
    day = date.fromisoformat(str(text)) + timedelta(days=int(after))
    return int(datetime.combine(day, time(), SHANGHAI).timestamp() * 1000)
