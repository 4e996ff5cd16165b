"""The demo: a district that does not exist, with real division codes, and one worker's round.

`data` makes the records (pure, the same for the same seed and day), `build` puts them into a new
database, `round` plays a worker's day through the real phone code, `command` ties them together.
"""
