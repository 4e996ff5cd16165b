"""A server and phones, as in tests/sync."""

from tests.sync.conftest import place as place
