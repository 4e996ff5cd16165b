"""Photos of records, and whether a viewer may see one."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.core.access import Viewer
from server.storage.models import Photo, Problem
from server.storage.queries import family, problems, visits


def of_owners(session: Session, owner_ids: Iterable[str]) -> list[Photo]:
    """The photos of some records, in the order they were taken; of redacted ones the newest."""
    query = (
        select(Photo)
        .where(
            Photo.owner_id.in_(list(owner_ids)),
            Photo.deleted_at.is_(None),
            Photo.replaced_by.is_(None),
        )
        .order_by(Photo.taken_at, func.coalesce(Photo.redacts, Photo.id), Photo.id)
    )
    return list(session.scalars(query))


def visible(session: Session, viewer: Viewer, photo_id: str) -> Photo | None:
    """The photo, if the viewer may see the record it belongs to.

    One that was replaced by a redacted one is there for those alone who may see originals.
    """
    photo = session.get(Photo, photo_id)
    if photo is None or photo.deleted_at is not None:
        return None
    if photo.replaced_by is not None and not viewer.may("see_originals"):
        return None
    owner = None
    if photo.owner_kind == "problem":
        owner = _problem(session, viewer, photo.owner_id)
    elif photo.owner_kind == "visit":
        owner = visits.visible(session, viewer, photo.owner_id)
    elif viewer.may("see_records") and viewer.sees_partition(photo.partition_id):
        return photo
    return photo if owner is not None else None


def _problem(session: Session, viewer: Viewer, problem_id: str) -> Problem | None:
    """A problem whose photos the viewer may see: also one that goes on in another that they may."""
    problem = session.get(Problem, problem_id)
    if problem is None or problem.deleted_at is not None:
        return None
    found = problems.visible(session, viewer, problem_id)
    return found or problems.visible(session, viewer, family.main_of(session, problem).id)
