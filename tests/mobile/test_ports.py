"""The position goes into a record only while the worker allows it."""

from __future__ import annotations

from mobile.ui.ports import Consent, FixedNetwork

HERE = {"lat": 34.7, "lng": 113.6, "accuracy": 9.0}


class Locator:
    def __init__(self) -> None:
        self.listening = False

    def listen(self, on: bool) -> None:
        self.listening = on

    def position(self) -> dict[str, float]:
        return HERE


def test_no_record_carries_a_position_that_was_not_allowed() -> None:
    found = Locator()
    consent = Consent(found)
    consent.listen(True)
    assert not found.listening and consent.position() is None
    consent.allow(True)
    consent.listen(True)
    assert found.listening and consent.position() == HERE
    consent.allow(False)
    assert not found.listening and consent.position() is None


def test_the_desktops_network_is_as_it_was_set() -> None:
    network = FixedNetwork("mobile")
    assert network.kind() == "mobile"
    network.now = "none"
    assert network.kind() == "none"
