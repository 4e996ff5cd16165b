"""The queue of photos as rules: what goes first, what may go at all, when to try again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile.core import photo_queue, retry
from mobile.core.photo_queue import Network, Policy, Verdict, Waiting

HOUR = 3_600_000


def photo(name: str, size: int = 100, sent: int = 0, n: int = 1, urgent: bool = False) -> Waiting:
    return Waiting(name, size, sent, n, urgent)


def test_urgent_problems_come_first_then_what_takes_the_fewest_bytes() -> None:
    queue = [
        photo("large", 900), photo("small", 50), photo("urgent and large", 5000, urgent=True),
        photo("nearly there", 900, 880), photo("urgent", 400, urgent=True),
    ]  # fmt: skip
    assert [one.sha256 for one in photo_queue.in_order(queue)] == [
        "urgent", "urgent and large", "nearly there", "small", "large",
    ]  # fmt: skip


def test_photos_of_one_size_go_in_the_order_in_which_they_were_saved() -> None:
    queue = [photo("b", n=2), photo("c", n=3), photo("a", n=1)]
    assert [one.sha256 for one in photo_queue.in_order(queue)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("policy", "network", "allowed", "wanted"),
    [
        ("any", "wifi", None, "go"),
        ("any", "mobile", None, "go"),
        ("wifi", "wifi", None, "go"),
        ("wifi", "mobile", None, "wifi"),
        ("wifi", "mobile", True, "go"),  # allowed for once
        ("ask", "wifi", False, "go"),
        ("ask", "mobile", None, "ask"),
        ("ask", "mobile", True, "go"),
        ("ask", "mobile", False, "wifi"),
        ("any", "none", None, "network"),
        ("ask", "none", True, "network"),
    ],
)
def test_whether_photos_may_go(
    policy: Policy, network: Network, allowed: bool | None, wanted: Verdict
) -> None:
    assert photo_queue.verdict(policy, network, allowed) == wanted


@pytest.mark.parametrize(
    ("policy", "network", "wanted"),
    [("any", "wifi", 2), ("any", "mobile", 1), ("wifi", "mobile", 0), ("any", "none", 0)],
)
def test_two_go_side_by_side_on_wifi_one_on_mobile_data(
    policy: Policy, network: Network, wanted: int
) -> None:
    assert photo_queue.lanes(photo_queue.verdict(policy, network), network) == wanted


def test_the_setting_of_an_older_version_is_understood() -> None:
    assert photo_queue.policy_of("", wifi_only=True) == "wifi"
    assert photo_queue.policy_of("", wifi_only=False) == "any"
    assert photo_queue.policy_of("ask", wifi_only=True) == "ask"
    assert photo_queue.policy_of("nonsense") == "any"


def test_a_photo_that_failed_waits_until_its_time_comes() -> None:
    assert photo_queue.is_due(photo("never failed"), 0, HOUR)
    waiting = Waiting("failed", 1, 0, 1, tries=1, retry_at=5000)
    assert not photo_queue.is_due(waiting, 4999, HOUR)
    assert photo_queue.is_due(waiting, 5000, HOUR)


def test_a_clock_that_was_set_back_keeps_no_photo_waiting() -> None:
    waiting = Waiting("failed", 1, 0, 1, tries=1, retry_at=50 * HOUR)
    assert photo_queue.is_due(waiting, HOUR, HOUR)


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True), st.integers(0, 10 * HOUR))
def test_waits_grow_are_spread_and_have_an_end(failures: int, jitter: float, asked: int) -> None:
    wait = retry.delay_ms(failures, jitter, asked)
    assert wait >= asked
    step = min(retry.FIRST_MS * 2 ** (failures - 1), retry.LONGEST_MS)
    assert step // 2 <= max(wait if not asked else step, step // 2) <= retry.LONGEST_MS


@pytest.mark.parametrize(
    ("owner", "category", "wanted"),
    [
        ({"concern_tags": ["urgent"]}, {}, True),
        ({"concern_tags": ["hope"]}, {"hours": 2}, True),
        ({}, {"hours": 168}, False),
        ({"concern_tags": None}, {"hours": None}, False),
        ({}, {}, False),
    ],
)
def test_what_is_urgent(
    owner: dict[str, object], category: dict[str, object], wanted: bool
) -> None:
    assert photo_queue.is_urgent(owner, category) is wanted
