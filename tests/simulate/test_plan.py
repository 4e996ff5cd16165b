"""The plan: drawn from a seed alone, every nemesis in it."""

from __future__ import annotations

import pytest

from gridledger.simulate import plan


def test_the_same_seed_gives_the_same_plan_and_another_gives_another() -> None:
    first = plan.make(6, 3, plan.chosen("all"), 7, 2)
    assert first == plan.make(6, 3, plan.chosen("all"), 7, 2)
    assert first != plan.make(6, 3, plan.chosen("all"), 8, 2)


@pytest.mark.parametrize(("phones", "rounds"), [(1, 1), (6, 3), (8, 3), (20, 10)])
def test_all_means_every_nemesis_and_twenty_or_more(phones: int, rounds: int) -> None:
    counts = plan.make(phones, rounds, plan.chosen("all"), 1, 1).counts()
    assert set(counts) == set(plan.FAULTS)
    assert sum(counts.values()) >= 20


def test_only_the_faults_that_were_asked_for_are_planned() -> None:
    assert plan.make(6, 3, plan.chosen("none"), 1, 1).counts() == {}
    names = plan.chosen("disk_full, restored,disk_full")
    assert set(plan.make(2, 1, names, 1, 1).counts()) == {"disk_full", "restored"}
    with pytest.raises(plan.UnknownFault):
        plan.chosen("disk_full,rain")


def test_every_fault_of_the_plan_can_be_brought_about() -> None:
    from gridledger.simulate.faults import NEMESES

    assert set(NEMESES) | set(plan.HEAVY) == set(plan.FAULTS)


def test_no_two_acts_write_the_same_text() -> None:
    whole = plan.make(6, 3, plan.chosen("all"), 1, 2)
    acts = [act for one in whole.rounds for acts in one.acts for act in acts]
    acts += [act for one in whole.rounds for fault in one.faults for act in fault.acts]
    assert len({act.number for act in acts}) == len(acts)
