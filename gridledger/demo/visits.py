"""Ninety days of visits in one grid, with their reviews: who was met, what was said. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gridledger.demo.dice import DAY, HOUR, Dice, dice, weekday, words
from gridledger.demo.photos import PhotoRecords
from gridledger.demo.places import Compound, Household
from gridledger.demo.plan import DAYS, HOUSEHOLDS_PER_GRID, Grid, Plan
from server.operations.transact import Entry
from shared import ids
from shared.operations import ACT, CREATE, SET, Operation

PER_DAY = 40 / 6  # visits of one worker a day
UNREVIEWED_DAYS = 2
RETURNED = 0.03
PHOTO_SHARE = 0.05


@dataclass(frozen=True)
class Beat:
    """One grid, all that is visited in it, and the ids of its worker and supervisor."""

    plan: Plan
    grid: Grid
    compounds: Sequence[Compound]
    households: Sequence[Household]
    worker: str
    supervisor: str


def visit_entries(beat: Beat, photos: PhotoRecords) -> Iterator[Entry]:
    """Visits, their photos and reviews; each visit's own in order, visits day by day."""
    for number in range(DAYS + 1):
        day = beat.plan.first_day + number * DAY
        rolls = dice(beat.plan.seed, "visits", beat.grid.code, number)
        busy = 0.55 if weekday(day) > 4 else 1.18
        mean = PER_DAY * busy * beat.grid.households / HOUSEHOLDS_PER_GRID
        count = int(mean * rolls.uniform(0.75, 1.25) + rolls.random())
        for at in sorted(day + int(rolls.uniform(8.5, 20.5) * HOUR) for _ in range(count)):
            entries = list(_visit(beat, rolls, photos, at, day))
            if at < beat.plan.now:
                yield from entries


def _visit(beat: Beat, rolls: Dice, photos: PhotoRecords, at: int, day: int) -> Iterator[Entry]:
    values = {"visited_at": at} | _content(beat, rolls)
    record_id = rolls.new_id(at)
    operations = [Operation(CREATE, "visit", record_id, beat.grid.partition, values=values)]
    if values["outcome"] in ("met", "not_met") and rolls.chance(PHOTO_SHARE):
        operations += photos.of("visit", record_id, beat.grid.partition, "scene", at)
    yield Entry(beat.worker, operations, at + rolls.randrange(60_000))
    if day < beat.plan.today - UNREVIEWED_DAYS * DAY:
        yield from _review(beat, rolls, record_id, values, day)


def _review(
    beat: Beat, rolls: Dice, record_id: str, values: dict[str, Any], day: int
) -> Iterator[Entry]:
    """Approved the next morning; a few returned, corrected that evening, approved a day later."""
    morning = day + DAY + int(rolls.uniform(8.6, 11.5) * HOUR)
    listed = words("phrases")
    partition = beat.grid.partition
    if rolls.chance(1 - RETURNED):
        note = rolls.choice(listed["review_notes"])
        yield Entry(beat.supervisor, [_act(record_id, partition, "approve", 1, note)], morning)
        return
    reason = rolls.choice(listed["returns"])
    yield Entry(beat.supervisor, [_act(record_id, partition, "return", 1, reason)], morning)
    old = day < beat.plan.today - 8 * DAY
    if not old and rolls.chance(0.7):
        return
    evening = day + DAY + int(rolls.uniform(17, 20) * HOUR)
    better = (values["note"] or "") + rolls.choice(listed["corrections"])
    yield Entry(
        beat.worker,
        [
            Operation(
                SET, "visit", record_id, partition, rev=2, fields={"note": (values["note"], better)}
            )
        ],
        evening,
    )
    again = day + 2 * DAY + int(rolls.uniform(8.6, 11) * HOUR)
    yield Entry(beat.supervisor, [_act(record_id, partition, "approve", 3, "")], again)


def _act(record_id: str, partition: str, action: str, rev: int, reason: str) -> Operation:
    return Operation(
        ACT, "visit", record_id, partition, rev=rev, action=action, expect={"rev": rev},
        data={"reason": reason} if reason else {},
    )  # fmt: skip


def _content(beat: Beat, rolls: Dice) -> dict[str, Any]:
    target = rolls.choices(("household", "compound", "shop", "employer"), (88, 6, 4, 2))[0]
    values: dict[str, Any] = {
        "target_kind": target, "target_id": None, "target_name": None, "reason": "routine",
        "outcome": "met", "note": None, "appeal": None, "concern_tags": [], "early_sign": None,
        "resolved_on_spot": False,
    }  # fmt: skip
    if target == "household" and beat.households:
        values |= _at_a_door(rolls, _door(rolls, beat.households))
    else:
        compound = rolls.choice(beat.compounds)
        listed = words("phrases")["compound" if target == "household" else target]
        values["note"] = "".join(rolls.sample(listed, rolls.randint(1, 3)))
        if target in ("shop", "employer"):
            named = words("places")["shops" if target == "shop" else "workplaces"]
            values["target_name"] = rolls.choice(named)
        else:
            values |= {"target_kind": "compound", "target_id": compound.id}
            values["target_name"] = compound.values["name"]
        values["position"] = near(rolls, compound)
    return values


def _door(rolls: Dice, among: Sequence[Household]) -> Household:
    """A door; those in care come up more often, the last tenth of the grid never."""
    walked = among[: max(1, len(among) * 9 // 10)]
    for _ in range(3):
        found = rolls.choice(walked)
        if found.care or rolls.chance(0.55):
            break
    return found


def _at_a_door(rolls: Dice, home: Household) -> dict[str, Any]:
    listed = words("phrases")
    outcome = rolls.choices(("met", "no_change", "not_met", "refused"), (68, 14, 15, 3))[0]
    if home.values["state"] == "empty":
        outcome = rolls.choice(("not_met", "no_change"))
    found: dict[str, Any] = {
        "target_kind": "household",
        "target_id": home.id,
        "target_name": home.values["contact_name"],
        "outcome": outcome,
        "reason": rolls.choices(
            (
                "care" if home.care else "routine",
                "routine",
                "campaign",
                "appeal",
                "callback",
                "recheck",
            ),
            (50, 20, 14, 7, 5, 4),
        )[0],
        "note": rolls.choice(listed["not_met" if outcome == "met" else outcome]) or None,
    }
    if rolls.chance(0.7):
        found["position"] = near(rolls, home.compound)
    if outcome == "met":
        found |= _conversation(rolls, home)
    return found


def _conversation(rolls: Dice, home: Household) -> dict[str, Any]:
    """What was said: half a dozen sentences from a great many, an appeal, an early sign."""
    listed = words("phrases")
    parts = [rolls.choice(listed["openings"])]
    parts += [rolls.choice(listed["care"][group]) for group in home.care]
    parts += rolls.sample(listed["general"], rolls.choice((1, 1, 2)))
    parts += rolls.sample(listed["safety"], rolls.choice((0, 1, 1, 2)))
    parts += rolls.sample(listed["policy"], rolls.choice((0, 0, 1)))
    parts.append(rolls.choice(listed["closings"]))
    found: dict[str, Any] = {"note": "".join(parts)}
    if rolls.chance(0.16):
        found["appeal"] = rolls.choice(listed["appeals"])
        found["concern_tags"] = [
            rolls.choices(("urgent", "hard", "worry", "hope"), (1, 2, 3, 5))[0]
        ]
    if rolls.chance(0.035):
        found["early_sign"] = rolls.choice(listed["early_signs"])
        found["concern_tags"] = sorted({*found.get("concern_tags", ()), "worry"})
    if rolls.chance(0.05):
        found["resolved_on_spot"] = True
        found["note"] += rolls.choice(listed["spot"])
    if rolls.chance(0.04):
        found["answers"] = {
            "gas_safety": {
                "gas_hose": rolls.choice(("metal", "rubber")),
                "alarm": rolls.chance(0.4),
            }
        }
    return found


def near(rolls: Dice, compound: Compound) -> dict[str, float]:
    """A phone's fix within some 20 m of a compound."""
    middle = compound.values["position"]
    return {
        "lat": round(middle["lat"] + rolls.gauss(0, 8e-5), 6),
        "lng": round(middle["lng"] + rolls.gauss(0, 8e-5), 6),
        "accuracy": float(rolls.choice((4, 5, 6, 8, 10, 12, 15, 20, 30, 65))),
    }


def due_tasks(beat: Beat) -> Iterator[Entry]:
    """A few doors that the worker is asked to see: those in care, by a task of their own."""
    rolls = dice(beat.plan.seed, "tasks", beat.grid.code)
    alone = [home for home in beat.households if "elder_alone" in home.care]
    at = beat.plan.today - 14 * HOUR
    for home in rolls.sample(alone, min(3, len(alone))):
        values = {
            "user_id": beat.worker, "type": "visit_due", "about_kind": "household",
            "about_id": home.id, "reason": "独居老人，每周一访。",
        }  # fmt: skip
        partition = ids.person_partition(beat.worker)
        create = Operation(CREATE, "task", rolls.new_id(at), partition, values=values)
        yield Entry(beat.supervisor, [create], at)
