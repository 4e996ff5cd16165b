"""The phone's tables, in numbered steps; each step is one transaction, so it is there or not.

A step that was released is never changed; a new one is added. What is not sent yet lies in these
tables: no step may drop a row of `journal`, `pending`, `photo` or `draft`.
"""

from __future__ import annotations

import json
import sqlite3

from mobile.storage import records

# A record's values as they are shown: agreed plus pending, or as agreed where nothing is pending.
_DOC = "coalesce(shown, agreed)"


def _generated(name: str, *fields: str, type_: str = "TEXT", kept: str = "VIRTUAL") -> str:
    found = [f"json_extract({_DOC}, '$.{field}')" for field in fields]
    value = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
    return f"{name} {type_} GENERATED ALWAYS AS ({value}) {kept}"


# What a record hangs on, and when it happened, whatever its kind calls it.
_PARENTS = ("target_id", "problem_id", "owner_id", "household_id", "about_id")
_TIMES = ("visited_at", "acted_at", "found_at", "taken_at")

_FIRST = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # term is shared.checksum.term of id and rev, signed; 0 where the record is not counted.
    # mark is the number of the snapshot that last named the record; gone: the server deleted it.
    f"""
    CREATE TABLE record (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      partition_id TEXT NOT NULL,
      seq INTEGER NOT NULL DEFAULT 0,
      rev INTEGER NOT NULL DEFAULT 0,
      agreed TEXT,
      shown TEXT,
      gone INTEGER NOT NULL DEFAULT 0,
      visible INTEGER NOT NULL DEFAULT 1,
      by_user TEXT NOT NULL DEFAULT '',
      changed_at INTEGER NOT NULL DEFAULT 0,
      term INTEGER NOT NULL DEFAULT 0,
      mark INTEGER NOT NULL DEFAULT 0,
      sort_key TEXT NOT NULL DEFAULT '',
      search TEXT NOT NULL DEFAULT '',
      {_generated("compound_id", "compound_id")},
      {_generated("parent_id", *_PARENTS, kept="STORED")},
      {_generated("visit_id", "visit_id")},
      {_generated("at", *_TIMES, type_="INTEGER", kept="STORED")},
      {_generated("type", "type")},
      {_generated("code", "code")},
      {_generated("state", "state")},
      {_generated("outcome", "outcome", kept="STORED")},
      {_generated("tx_id", "tx_id")},
      {_generated("sha256", "sha256")}
    )
    """,
    "CREATE INDEX record_partition ON record (partition_id, mark)",
    "CREATE INDEX record_sorted ON record (kind, compound_id, sort_key)",
    "CREATE INDEX record_parent ON record (kind, parent_id, at)",
    "CREATE INDEX record_at ON record (kind, at)",
    # The round asks for every door's last visit: answered from this index, no JSON is read.
    "CREATE INDEX record_visited ON record (kind, visible, parent_id, at, outcome)"
    " WHERE kind = 'visit'",
    "CREATE INDEX record_code ON record (type, code) WHERE kind = 'reference'",
    "CREATE INDEX record_visit ON record (visit_id) WHERE kind = 'problem'",
    "CREATE INDEX record_task ON record (tx_id) WHERE kind = 'task'",
    "CREATE INDEX record_sha256 ON record (sha256) WHERE kind = 'photo'",
    # n is this phone's own order and never changes; (device_id, dseq) is the server's, and is
    # given anew with a new identity. A row without an id is a gap: dseq to dseq_to are lost.
    """
    CREATE TABLE journal (
      n INTEGER PRIMARY KEY AUTOINCREMENT,
      device_id TEXT NOT NULL,
      dseq INTEGER NOT NULL,
      dseq_to INTEGER NOT NULL,
      id TEXT UNIQUE,
      text TEXT NOT NULL,
      hash TEXT NOT NULL,
      running TEXT NOT NULL,
      gap TEXT,
      label TEXT NOT NULL,
      made_at INTEGER NOT NULL,
      sent_at INTEGER,
      answer TEXT,
      result TEXT,
      answered_at INTEGER,
      covered_at INTEGER,
      settled_at INTEGER,
      task_id TEXT,
      UNIQUE (device_id, dseq)
    )
    """,
    "CREATE INDEX journal_unanswered ON journal (dseq) WHERE result IS NULL",
    "CREATE INDEX journal_uncovered ON journal (n) WHERE covered_at IS NULL",
    """
    CREATE TABLE pending (
      n INTEGER NOT NULL REFERENCES journal (n),
      i INTEGER NOT NULL,
      record_id TEXT NOT NULL,
      operation TEXT NOT NULL,
      PRIMARY KEY (n, i)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX pending_record ON pending (record_id, n, i)",
    # The partitions that a transaction touched and that no covering checkpoint has passed yet.
    """
    CREATE TABLE touched (
      n INTEGER NOT NULL REFERENCES journal (n),
      partition_id TEXT NOT NULL,
      PRIMARY KEY (n, partition_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX touched_partition ON touched (partition_id, n)",
    # mark > 0: a whole snapshot of that number is under way; what it does not name is swept.
    """
    CREATE TABLE cursor (
      partition_id TEXT PRIMARY KEY,
      seq INTEGER NOT NULL DEFAULT 0,
      count INTEGER NOT NULL DEFAULT 0,
      sum64 TEXT NOT NULL DEFAULT '0',
      chain TEXT NOT NULL DEFAULT '',
      view_rev TEXT NOT NULL DEFAULT '',
      mark INTEGER NOT NULL DEFAULT 0,
      covered_dseq INTEGER NOT NULL DEFAULT 0,
      complete INTEGER NOT NULL DEFAULT 0,
      mismatches INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
    # One row per file. verified_at is the server's time at which "verified" was pulled.
    """
    CREATE TABLE photo (
      sha256 TEXT PRIMARY KEY,
      size INTEGER NOT NULL,
      n INTEGER NOT NULL,
      state TEXT NOT NULL DEFAULT 'waiting',
      upload_url TEXT,
      sent INTEGER NOT NULL DEFAULT 0,
      verified_at INTEGER,
      removed_at INTEGER
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE draft (
      key TEXT PRIMARY KEY,
      values_ TEXT NOT NULL,
      photos TEXT NOT NULL,
      kept_at INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
)

_SECOND = (
    # The seq that count, sum64 and chain belong to; rows that came since have moved seq on.
    "ALTER TABLE cursor ADD COLUMN closed_seq INTEGER NOT NULL DEFAULT 0",
    "UPDATE cursor SET closed_seq = seq, chain = ''",
    # What is asked of a partition whose sums differ: '[]' its buckets' sums, '[n, ...]' buckets.
    "ALTER TABLE cursor ADD COLUMN repair TEXT",
    # 1 until the first whole snapshot of a new epoch is here.
    "ALTER TABLE cursor ADD COLUMN renewed INTEGER NOT NULL DEFAULT 0",
    # Agreed rows that a restored server lacks, until it has answered them.
    """
    CREATE TABLE offer (
      id TEXT NOT NULL,
      rev INTEGER NOT NULL,
      partition_id TEXT NOT NULL,
      line TEXT NOT NULL,
      PRIMARY KEY (id, rev)
    ) WITHOUT ROWID
    """,
)

_THIRD = (
    # How often a photo's own trouble stopped it, when it is tried again (Unix ms), and the last
    # trouble's code; of a refused one: why it was refused.
    "ALTER TABLE photo ADD COLUMN tries INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE photo ADD COLUMN retry_at INTEGER",
    "ALTER TABLE photo ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
    # Photos that a camera was opened for and whose file is not in their draft yet: the system may
    # end the app behind the camera. page and args (JSON) name the form to go on with.
    """
    CREATE TABLE capture (
      id TEXT PRIMARY KEY,
      draft_key TEXT NOT NULL,
      phase TEXT NOT NULL,
      page TEXT NOT NULL,
      args TEXT NOT NULL,
      begun_at INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    # The photos of which no "verified" was pulled: few, and asked for with every list.
    "CREATE INDEX record_photo_open ON record (parent_id)"
    " WHERE kind = 'photo' AND visible = 1 AND state IS NOT 'verified'",
)

_FEEDBACK = (
    # Complaints and suggestions. sent_at: the server has it (this phone's clock).
    """
    CREATE TABLE feedback (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      text TEXT NOT NULL,
      anonymous INTEGER NOT NULL,
      made_at INTEGER NOT NULL,
      sent_at INTEGER,
      answer TEXT,
      answered_at INTEGER
    ) WITHOUT ROWID
    """,
)

_SEALED = (
    # What people said and who they are is sealed from here on; see mobile/storage/vault.py.
    "UPDATE record SET agreed = seal_doc(in_open(kind, agreed), unseal(agreed)),"
    " shown = seal_doc(in_open(kind, shown), unseal(shown)), search = seal(unseal(search)),"
    " sort_key = CASE kind WHEN 'resident' THEN '' ELSE sort_key END",
    "UPDATE journal SET text = seal(unseal(text)), label = seal(unseal(label))",
    "UPDATE pending SET operation = seal(unseal(operation))",
    "UPDATE draft SET values_ = seal(unseal(values_)), photos = seal(unseal(photos))",
    "UPDATE offer SET line = seal(unseal(line))",
    "UPDATE feedback SET text = seal(unseal(text)), answer = seal(unseal(answer))",
    "UPDATE meta SET value = seal(unseal(value)) WHERE name = 'token'",
    # 1: an old visit of which only what stands in the open is left here.
    "ALTER TABLE record ADD COLUMN thin INTEGER NOT NULL DEFAULT 0",
)

_RETENTION = (
    # The visits that are here whole, by age.
    "CREATE INDEX record_whole ON record (at, id) WHERE kind = 'visit' AND thin = 0",
)

_LOOKS = (
    # Looks at a household's covered details that the server does not know of: one a day. at: Unix
    # ms; day: its day in Asia/Shanghai, since 1970.
    """
    CREATE TABLE look (
      household_id TEXT NOT NULL,
      day INTEGER NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (household_id, day)
    ) WITHOUT ROWID
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (
    _FIRST, _SECOND, _THIRD, _FEEDBACK, _SEALED, _RETENTION, _LOOKS
)  # fmt: skip


class Newer(sqlite3.DatabaseError):
    """A newer app made this store."""


def migrate(db: sqlite3.Connection) -> None:
    """Bring the tables up to date; the vault serves the connection.

    Raises Newer for a store from the future.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(STEPS):
        raise Newer(f"store version {version}, this app knows {len(STEPS)}")
    if version == len(STEPS):
        return
    db.create_function("in_open", 2, _in_open)
    db.execute("PRAGMA secure_delete = ON")  # no page keeps what was in the open before
    for number, statements in enumerate(STEPS[version:], start=version + 1):
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _in_open(kind: str, text: str | None) -> str | None:
    return records.in_open(kind, json.loads(text)) if text else None
