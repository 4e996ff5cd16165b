"""What the phone keeps: records as last agreed, the journal, cursors, photo files. SQLite."""
