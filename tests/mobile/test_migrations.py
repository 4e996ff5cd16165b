"""A newer app opens an older store: what was not sent is still there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobile.storage import feed, migrations
from mobile.sync.phone import HouseholdDraft, Phone
from tests.mobile.conftest import PARTITION, FakeFeed, HandClock
from tests.mobile.test_feed import HOME, home


@pytest.mark.parametrize("version", range(1, len(migrations.STEPS)))
def test_an_update_keeps_what_was_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """A newer app finds the store of an older one, with work in it."""
    monkeypatch.setattr(migrations, "STEPS", migrations.STEPS[:version])
    old = Phone.open(tmp_path / "p", clock=HandClock())
    with old._store.writing() as db:
        db.execute(
            "INSERT INTO journal (device_id, dseq, dseq_to, id, text, hash, running, label,"
            " made_at) VALUES ('d', 1, 1, 'x', '{}', 'h', 'r', '{}', 5)"
        )
        db.execute("INSERT INTO photo (sha256, size, n) VALUES ('aa', 5, 1)")
        db.execute(
            "INSERT INTO cursor (partition_id, seq, chain, complete) VALUES ('grid:1', 7, 'c', 1)"
        )
        if version > 1:
            db.execute("UPDATE cursor SET closed_seq = seq")
    old.keep_draft("visit:x", {"note": "写了一半"})
    old.close()
    monkeypatch.undo()
    new = Phone.open(tmp_path / "p", clock=HandClock())
    assert new.recovered is None
    assert (new.status().waiting, new.status().photos) == (1, 1)
    assert new.drafts()[0].values == {"note": "写了一半"}
    with new._store.reading() as db:
        assert feed.positions(db) == {"grid:1": [7, ""]}
    new.close()


def test_rows_without_their_checkpoint_move_the_position_but_not_the_head(
    phone: Phone, server: FakeFeed
) -> None:
    """A pull that is cut must not make the server believe that it lost something."""
    server.send(home(server), server.checkpoint())
    server.send(home(server, 2), home(server, 3), end=False)
    with phone._store.reading() as db:
        assert feed.heads(db, [PARTITION]) == {PARTITION: [1, "c"]}
        assert feed.positions(db)[PARTITION] == [2, "v1"], "the last row again, with its checkpoint"
    assert server.send(server.checkpoint()).mismatched == set()
    with phone._store.reading() as db:
        assert feed.heads(db, [PARTITION]) == {PARTITION: [3, "c"]}
    assert phone.household(HOME) and phone.add_household(HouseholdDraft({"door": "1"}))
