"""A visit that is corrected after its review waits for the supervisor again."""

from __future__ import annotations

from sqlalchemy import select

from server.operations.batch import Batch
from server.operations.entries import put
from server.storage.models import Task
from shared import ids
from shared.reconcile import Refused


def check_photo(batch: Batch, author: str | None, visit_id: str) -> None:
    """A worker adds photos to visits of their own alone; raises Refused."""
    visit = batch.get("visit", visit_id)
    if visit is None or visit.created_by is None or batch.sender.trusted:
        return
    if batch.sender.role == "grid_worker" and visit.created_by != author:
        raise Refused("forbidden", "owner_id", visit_id)


def photo_added(batch: Batch, author: str | None, visit_id: str) -> None:
    """A photo that the author adds to a visit already reviewed is a correction like any other."""
    visit = batch.get("visit", visit_id)
    if visit is None or visit.created_by != author or batch.sender.trusted:
        return
    if visit.record.values["review_state"] != "pending":
        put(batch, visit.record, {"review_state": "pending"})
        end_tasks(batch, visit_id, author)


def end_tasks(batch: Batch, visit_id: str, author: str | None) -> None:
    """The author's open tasks to correct this visit are done."""
    if author is None:
        return
    query = select(Task.id).where(
        Task.partition_id == ids.person_partition(author),
        Task.about_id == visit_id,
        Task.type == "returned_visit",
        Task.state == "open",
    )
    for task_id in batch.session.scalars(query).all():
        task = batch.get("task", task_id)
        if task is not None:
            put(batch, task.record, {"state": "done", "done_at": batch.now})
