"""Photos that a worker's records declare, and the servers they are sent to."""

from __future__ import annotations

import hashlib

from flask import Flask

from server.operations.transact import Entry, submit_many
from server.storage import blobs
from server.storage.database import db
from server.storage.models import Photo
from tests.builders import World, create, visit


def declare(app: Flask, world: World, *photos: bytes) -> list[str]:
    """Name them in records of the worker; their hashes."""
    names = [hashlib.sha256(data).hexdigest() for data in photos]
    seen = visit(world)
    operations = [seen]
    common = {"owner_kind": "visit", "owner_id": seen.id, "phase": "scene"}
    operations += [
        create("photo", world.partition, **common, sha256=name, size=len(data))
        for name, data in zip(names, photos, strict=True)
    ]
    with app.app_context():
        list(submit_many([Entry(world.users["worker"], operations)]))
        db.session.remove()
    return names


def unsafe(app: Flask, names: list[str]) -> list[str]:
    """Those of them that are not verified with the right bytes in the store."""
    wrong = []
    with app.app_context():
        query = db.select(Photo.sha256).where(Photo.sha256.in_(names), Photo.state == "verified")
        verified = set(db.session.scalars(query))
        for name in names:
            digest = hashlib.sha256()
            if name in verified:
                for block in blobs.current().read(name):
                    digest.update(block)
            if digest.hexdigest() != name:
                wrong.append(name)
        db.session.remove()
    return wrong
