"""The tables that are not synced: people, devices, the order of partitions, what came in, audit."""

from __future__ import annotations

from typing import Any

from flask_login import UserMixin
from sqlalchemy import Boolean, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.storage.database import Json, Ms, Ordered, db


class Setting(db.Model):
    """One value of the database itself: its epoch, for one."""

    key: Mapped[str] = mapped_column(String, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class User(UserMixin, db.Model):
    """A person with an account. ``area_code`` is the root of the subtree they see.

    A grid worker's grids are in Assignment. ``scope_rev`` counts the changes of their scope.
    ``body`` is a handler's own body.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index("ix_account_role_area_code", "role", "area_code"),
        Index("ix_account_role_body", "role", "body"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    username: Mapped[str] = mapped_column(String, unique=True)
    name: Mapped[str] = mapped_column(String)
    role: Mapped[str] = mapped_column(String)
    area_code: Mapped[str] = mapped_column(Ordered)
    body: Mapped[str | None] = mapped_column(String)
    phone: Mapped[str | None] = mapped_column(String)
    password_hash: Mapped[str | None] = mapped_column(String)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[int | None] = mapped_column(Ms)
    language: Mapped[str] = mapped_column(String, default="zh")
    scope_rev: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[int] = mapped_column(Ms)

    @property
    def is_active(self) -> bool:
        """Whether Flask-Login may sign them in."""
        return self.active


class Assignment(db.Model):
    """Who walks a grid, from when to when. ``to_at`` None: now."""

    __table_args__ = (
        Index("ix_assignment_user", "user_id", "grid_code"),
        Index("ix_assignment_grid", "grid_code"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36))
    grid_code: Mapped[str] = mapped_column(Ordered)
    from_at: Mapped[int] = mapped_column(Ms)
    to_at: Mapped[int | None] = mapped_column(Ms)
    from_rev: Mapped[int] = mapped_column(Integer)
    to_rev: Mapped[int | None] = mapped_column(Integer)


class Enrolment(db.Model):
    """A one-time code to enrol a phone, hashed."""

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36))
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[int] = mapped_column(Ms)
    expires_at: Mapped[int] = mapped_column(Ms)
    used_at: Mapped[int | None] = mapped_column(Ms)
    device_id: Mapped[str | None] = mapped_column(String(36))


class Device(db.Model):
    """A sender of transactions: a phone, a web session, an import or a job.

    ``running`` is the running hash of its transactions up to ``last_dseq``. ``waiting`` is what
    the phone said of itself at its last contact: {"transactions", "photos", "bytes"}.
    """

    __table_args__ = (Index("ix_device_user_id", "user_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str | None] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String)  # phone | web | import | job
    name: Mapped[str] = mapped_column(String)
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    last_dseq: Mapped[int] = mapped_column(Ms, default=0)
    running: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[int] = mapped_column(Ms)
    revoked_at: Mapped[int | None] = mapped_column(Ms)
    last_contact_at: Mapped[int | None] = mapped_column(Ms)
    clock_offset: Mapped[int | None] = mapped_column(Ms)
    waiting: Mapped[dict[str, Any] | None] = mapped_column(Json)
    app: Mapped[str | None] = mapped_column(String)
    confirmed: Mapped[int] = mapped_column(Ms, default=0)


class Partition(db.Model):
    """The head of a partition: its last number, and the checksum of its live records."""

    id: Mapped[str] = mapped_column(Ordered, primary_key=True)
    seq: Mapped[int] = mapped_column(Ms, default=0)
    count: Mapped[int] = mapped_column(Integer, default=0)
    sum64: Mapped[int] = mapped_column(Ms, default=0)  # signed: shared.checksum.to_signed
    chain: Mapped[str] = mapped_column(String(32))
    floor: Mapped[int] = mapped_column(Ms, default=0)  # below it, what was deleted is forgotten


class ChainLink(db.Model):
    """A partition's chain after each commit, to know a phone's past from another one."""

    partition_id: Mapped[str] = mapped_column(Ordered, primary_key=True)
    seq: Mapped[int] = mapped_column(Ms, primary_key=True)
    chain: Mapped[str] = mapped_column(String(32))
    at: Mapped[int] = mapped_column(Ms)


class Departure(db.Model):
    """A record that left a partition for another: the feed's "left" rows."""

    __table_args__ = (Index("ix_departure_record", "record_id", "partition_id"),)

    partition_id: Mapped[str] = mapped_column(Ordered, primary_key=True)
    seq: Mapped[int] = mapped_column(Ms, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    record_id: Mapped[str] = mapped_column(String(36))
    rev: Mapped[int] = mapped_column(Integer)
    destination: Mapped[str] = mapped_column(Ordered)


class Receipt(db.Model):
    """A transaction that came in, with its first and only answer. Never expires."""

    __table_args__ = (Index("ix_receipt_device", "device_id", "dseq"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(36))
    dseq: Mapped[int] = mapped_column(Ms)
    hash: Mapped[str] = mapped_column(String(64))
    author: Mapped[str | None] = mapped_column(String(36))
    made_at: Mapped[int | None] = mapped_column(Ms)
    received_at: Mapped[int] = mapped_column(Ms)
    result: Mapped[str] = mapped_column(String)
    answer: Mapped[dict[str, Any]] = mapped_column(Json)


class Change(db.Model):
    """The history of a record: what each rev after the first changed. {field: [old, new]}."""

    record_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    rev: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    tx_id: Mapped[str | None] = mapped_column(String(36))
    device_id: Mapped[str] = mapped_column(String(36))
    author: Mapped[str | None] = mapped_column(String(36))
    at: Mapped[int] = mapped_column(Ms)
    changes: Mapped[dict[str, Any]] = mapped_column(Json)


class Quarantined(db.Model):
    """A transaction that was held or rejected, whole, as it came.

    ``state``: open, released, refused. ``waits_for`` is the record whose arrival lets it apply.
    """

    __tablename__ = "quarantine"
    __table_args__ = (
        Index("ix_quarantine_state", "state", "area_code"),
        Index("ix_quarantine_tx_id", "tx_id"),
        Index("ix_quarantine_waits_for", "waits_for"),
        Index("ix_quarantine_device", "device_id", "dseq"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    tx_id: Mapped[str | None] = mapped_column(String(36))
    device_id: Mapped[str] = mapped_column(String(36))
    dseq: Mapped[int] = mapped_column(Ms)
    author: Mapped[str | None] = mapped_column(String(36))
    area_code: Mapped[str | None] = mapped_column(Ordered)
    result: Mapped[str] = mapped_column(String)
    code: Mapped[str] = mapped_column(String)
    field: Mapped[str | None] = mapped_column(String)
    detail: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    waits_for: Mapped[str | None] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String, default="open")
    received_at: Mapped[int] = mapped_column(Ms)
    decided_by: Mapped[str | None] = mapped_column(String(36))
    decided_at: Mapped[int | None] = mapped_column(Ms)


class QuarantinedName(db.Model):
    """What a quarantined transaction would make (ids, photo hashes) or change ("~" and id)."""

    __tablename__ = "quarantine_name"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    quarantine_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class Offered(db.Model):
    """A row that a phone held and a restored database lacks. ``state``: open, taken, left."""

    __table_args__ = (Index("ix_offered_state", "state", "partition_id"),)

    record_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    rev: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    partition_id: Mapped[str] = mapped_column(Ordered)
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[int] = mapped_column(Ms)
    device_id: Mapped[str] = mapped_column(String(36))
    received_at: Mapped[int] = mapped_column(Ms)
    state: Mapped[str] = mapped_column(String, default="open")
    decided_by: Mapped[str | None] = mapped_column(String(36))
    decided_at: Mapped[int | None] = mapped_column(Ms)


class Feedback(db.Model):
    """A complaint or suggestion from a phone. ``user_id`` None: it was given without a name."""

    __table_args__ = (Index("ix_feedback_received_at", "received_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String)
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[int] = mapped_column(Ms)
    received_at: Mapped[int] = mapped_column(Ms)
    user_id: Mapped[str | None] = mapped_column(String(36))
    area_code: Mapped[str] = mapped_column(Ordered)
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(36))
    answered_at: Mapped[int | None] = mapped_column(Ms)


class Blob(db.Model):
    """The bytes of one photo, by content. ``state`` as vocabulary.PHOTO_STATES."""

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(Ms)
    state: Mapped[str] = mapped_column(String)
    mime: Mapped[str | None] = mapped_column(String)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    detail: Mapped[str | None] = mapped_column(String)
    stored_at: Mapped[int] = mapped_column(Ms)


class Upload(db.Model):
    """An upload under way (tus). ``received`` bytes are safely in the store.

    ``pieces``: their names there, where the store needs them. ``lease`` of who writes now
    (server.storage.leases). ``concat``: "partial", or "final;" and the addresses of its parts.
    ``told``: the metadata that the client gave, as it came.
    """

    __table_args__ = (Index("ix_upload_expires_at", "expires_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Ms)
    received: Mapped[int] = mapped_column(Ms, default=0)
    device_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[int] = mapped_column(Ms)
    expires_at: Mapped[int] = mapped_column(Ms)
    pieces: Mapped[list[str] | None] = mapped_column(Json)
    concat: Mapped[str | None] = mapped_column(Text)
    told: Mapped[str | None] = mapped_column(Text)
    lease: Mapped[str | None] = mapped_column(String)
    lease_until: Mapped[int | None] = mapped_column(Ms)


class LedgerSerial(db.Model):
    """The last serial of the ledger numbers of a community and year: no gaps, none twice."""

    community_code: Mapped[str] = mapped_column(Ordered, primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class ProblemBody(db.Model):
    """The bodies that join in a problem (co_bodies), one row each, to be found by an index."""

    body: Mapped[str] = mapped_column(String, primary_key=True)
    problem_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class AuditEntry(db.Model):
    """Who looked at or changed what; only ever added to.

    ``chain`` is filled in later by the scheduled tick, so that no writer waits for another.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"), UniqueConstraint("chain"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[int] = mapped_column(Ms)
    actor: Mapped[str | None] = mapped_column(String(36))
    action: Mapped[str] = mapped_column(String)
    target: Mapped[str | None] = mapped_column(String)
    area_code: Mapped[str | None] = mapped_column(Ordered)
    detail: Mapped[dict[str, Any] | None] = mapped_column(Json)
    address: Mapped[str | None] = mapped_column(String)
    chain: Mapped[str | None] = mapped_column(String(64))
