"""Believable names and telephone numbers of people who do not exist."""

from __future__ import annotations

from functools import cache
from typing import Any

from gridledger.demo.dice import Dice, words

_PREFIXES = [f"13{n}" for n in range(10)] + ["150", "151", "152", "155", "156", "157", "158", "159"]
_PREFIXES += ["180", "181", "182", "183", "185", "186", "187", "188", "189"]
_AGES = ("old", "mid", "mid", "young")


def household_name(rolls: Dice, age: str = "") -> str:
    """A full name; surnames come as often as they do in life."""
    surnames, weights = _surnames()
    return rolls.choices(surnames, cum_weights=weights)[0] + given_name(rolls, age)


def given_name(rolls: Dice, age: str = "") -> str:
    """A given name of that generation: old, mid or young; "" is any."""
    given = _given()[f"{age or rolls.choice(_AGES)}_{rolls.choice('mf')}"]
    return rolls.choice(given)


def relative_name(rolls: Dice, name: str, age: str) -> str:
    """The name of somebody of the same family; of any family where a name has no surname."""
    surnames: dict[str, int] = words("names")["surnames"]
    for length in (2, 1):
        if name[:length] in surnames and len(name) <= length + 2:
            return name[:length] + given_name(rolls, age)
    return household_name(rolls, age)


def phone_number(rolls: Dice) -> str:
    """A number in the form of a mobile's; 0000 in its middle belongs to nobody."""
    return f"{rolls.choice(_PREFIXES)}0000{rolls.randrange(10_000):04d}"


@cache
def _surnames() -> tuple[list[str], list[int]]:
    table: dict[str, int] = words("names")["surnames"]
    total, sums = 0, []
    for weight in table.values():
        total += weight
        sums.append(total)
    return list(table), sums


@cache
def _given() -> dict[str, Any]:
    return {key: text.split() for key, text in words("names")["given"].items()}
