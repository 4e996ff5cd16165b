"""Pull: what the server has and this phone has not, row by row, each batch with its cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mobile.core.clock import Clock
from mobile.storage import feed, identity, journal, meta, photos, repair
from mobile.storage.store import Store
from mobile.sync.failure import RequestFailed
from mobile.sync.push import about, keep_contact
from shared import protocol

if TYPE_CHECKING:
    from mobile.sync.client import Client

BATCH = 500  # rows of one SQLite transaction


@dataclass(frozen=True)
class Pulled:
    """What a pull brought. ``mismatched``: partitions whose checksum was not this phone's.

    ``renewed``: the server was restored, and what it lacks waits to be sent again. ``suspects``:
    partition -> [seq, chain] where those stood that differ, to be asked about.
    """

    rows: int = 0
    mismatched: frozenset[str] = field(default=frozenset())
    renewed: bool = False
    suspects: Mapping[str, list[Any]] = field(default_factory=dict)


class Rewound(Exception):
    """The server seems to have lost what this phone remembers; nothing was swept.

    ``heads``: partition -> [seq, chain], by which the server can tell whether it was copied back.
    """

    def __init__(self, heads: Mapping[str, list[Any]]) -> None:
        super().__init__("the server is behind this phone")
        self.heads = heads


class IdentityNeeded(Exception):
    """The server has other transactions of this device than this phone: a clone is about."""


def pull(
    store: Store,
    client: Client,
    clock: Clock,
    progress: Callable[[int, int], None],
    trusted: bool = False,
) -> Pulled:
    """One pull. What arrived before it broke is kept, with the cursors that belong to it.

    ``trusted``: the server was asked, and has not lost the past that this phone remembers.
    Raises RequestFailed (``incomplete`` for a stream without its end), IdentityNeeded, Rewound.
    """
    request = _request(store, clock)
    with client.pull(request) as lines:
        header = next(lines, None)
        _check_header(header)
        assert header is not None
        with store.reading() as db:
            me = meta.identity(db)
            if me is None:
                return Pulled()
            own = journal.running_at(db, me.device_id, header["last_dseq"])
            answered = journal.answered(db, me.device_id)
        if header["epoch"] == me.epoch and header["last_dseq"] < answered:
            # It has forgotten what it answered, and does not know it: its database was copied
            # back. Our cursors must not follow it yet; the push tells it where we stood.
            with store.writing() as db:
                identity.reopen(db, me.device_id, header["last_dseq"], header["running"], me.actor)
                photos.offer_all(db)
            return Pulled(renewed=True)
        if own is not None and own != header["running"]:
            raise IdentityNeeded
        trusted = trusted or header["epoch"] != me.epoch
        with store.writing() as db:
            keep_contact(db, header)
            taken = feed.take_header(db, header, me.actor)
        _take_rows(store, taken, lines if trusted else _no_rewind(store, lines), progress)
    return Pulled(
        taken.rows, frozenset(taken.mismatched), header["epoch"] != me.epoch, taken.suspects
    )


def _no_rewind(store: Store, lines: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The lines; raises Rewound where a partition would begin anew that was whole here."""
    for line in lines:
        if line.get("t") == "reset":
            with store.reading() as db:
                heads = feed.heads(db, [str(line.get("p"))])
            if heads:
                raise Rewound(heads)
        yield line


def _take_rows(
    store: Store,
    taken: feed.Feed,
    lines: Iterator[dict[str, Any]],
    progress: Callable[[int, int], None],
) -> None:
    batch: list[dict[str, Any]] = []
    trouble: RequestFailed | None = None
    ended = False
    while not ended and trouble is None:
        try:
            for line in lines:
                kind = str(line.get("t"))
                if kind == "end":
                    ended = True
                    break
                if kind == "error":
                    trouble = RequestFailed(str(line.get("code") or "internal"), "in the stream")
                    break
                if kind in _LINES:  # another kind of line is the future's
                    _check_members(line, _LINES[kind])
                    batch.append(line)
                if len(batch) >= BATCH:
                    break
            else:
                trouble = RequestFailed("incomplete", "the stream has no end")
        except RequestFailed as failed:
            trouble = failed
        if batch:
            with store.writing() as db:
                feed.apply(db, taken, batch)
            batch.clear()
            progress(taken.rows, 0)
    if trouble is not None:
        raise trouble
    with store.writing() as db:
        feed.finish(db, taken)


def _request(store: Store, clock: Clock) -> dict[str, Any]:
    said = about(store, clock)
    with store.reading() as db:
        me = meta.identity(db)
        if me is None:  # pragma: no cover - the runner asks before
            raise RequestFailed("token_unknown")
        damaged = repair.asked(db)
        return {
            **({"repair": damaged} if damaged else {}),
            "v": protocol.VERSION,
            "epoch": me.epoch,
            "scope_rev": me.scope_rev,
            "partitions": feed.positions(db),
            "confirmed": max(0, journal.confirmed(db, me.device_id)),
            "photos": photos.unconfirmed(db),
            **said,
        }


# member -> what it must be; more members are the future's.
_HEADER: Mapping[str, type] = {
    "epoch": str, "scope": dict, "user": dict, "last_dseq": int, "running": str,
    "answers": list, "partitions": list, "photos": dict, "server_time": int,
}  # fmt: skip
_LINES: Mapping[str, Mapping[str, type]] = {
    "row": {"p": str, "seq": int, "kind": str, "id": str, "rev": int, "v": dict},
    "gone": {"p": str, "seq": int, "id": str, "rev": int},
    "left": {"p": str, "seq": int, "id": str, "rev": int},
    "reset": {"p": str},
    "buckets": {"p": str, "seq": int, "sums": list},
    "bucket": {"p": str, "n": int},
    "repaired": {"p": str, "seq": int},
    "checkpoint": {"p": str, "seq": int, "count": int, "sum64": str, "chain": str, "view": str},
}


def _check_header(header: Mapping[str, Any] | None) -> None:
    if header is None:
        raise RequestFailed("incomplete", "the stream is empty")
    if header.get("t") == "error":
        raise RequestFailed(str(header.get("code") or "internal"), "in the stream")
    if header.get("t") != "header":
        raise RequestFailed("answer_invalid", "no header")
    _check_members(header, _HEADER)
    scope = header["scope"]
    if not isinstance(scope.get("rev"), int) or not isinstance(scope.get("grids"), list):
        raise RequestFailed("answer_invalid", "scope")


def _check_members(line: Mapping[str, Any], members: Mapping[str, type]) -> None:
    for name, type_ in members.items():
        if not isinstance(line.get(name), type_):
            raise RequestFailed("answer_invalid", f"{line.get('t')} without {name}")
