"""What the tests of hostile phones look at: rows, sums, the epoch."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select

from server.operations.clock import now_ms
from server.operations.enrol import new_device
from server.storage.database import db, write
from server.storage.models import MODELS
from server.storage.settings import epoch
from server.storage.tables import Partition
from shared import checksum
from shared.operations import ACT, Operation
from tests.builders import (
    World,
)


def phone_of(app: Flask, world: World, who: str) -> str:
    """A phone for anybody; returns its token."""
    token = f"token-of-{who}'s-phone"
    with app.app_context(), write() as session:
        session.add(new_device(world.users[who], who, token, "test", now_ms()))
    return token


def count(app: Flask, model: Any, **values: Any) -> int:
    with app.app_context():
        return len(db.session.scalars(select(model).filter_by(**values)).all())


def current_epoch(app: Flask) -> str:
    with app.app_context():
        found = epoch(db.session())
        db.session.commit()
        return found


def step(op: Operation, action: str, state: str = "reported", **data: Any) -> Operation:
    """An action on a problem that has just been reported."""
    expect = {"state": state, "step": 0}
    return Operation(
        ACT, "problem", op.id, op.partition, 9, 1, action=action, expect=expect, data=data
    )


def check_sums(app: Flask) -> None:
    with app.app_context():
        for head in db.session.scalars(select(Partition)):
            live = [
                (row.id, row.rev)
                for model in MODELS.values()
                for row in db.session.scalars(
                    select(model).where(model.partition_id == head.id, model.deleted_at.is_(None))
                )
            ]
            assert head.count == len(live)
            assert checksum.from_signed(head.sum64) == checksum.sum64(live)
