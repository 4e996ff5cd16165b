"""The demo's problems: each reported at a door and taken through its story by legal actions. Pure.

Every action goes through `shared.ledger` here too, so that what it expects is what will be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gridledger.demo.dice import DAY, HOUR, Dice, dice, midnight, words
from gridledger.demo.photos import PhotoRecords
from gridledger.demo.places import Compound, Household
from gridledger.demo.plan import HANDLER_BODY
from gridledger.demo.reference import categories, due_by
from gridledger.demo.stories import DELAYS, Story, deck
from gridledger.demo.visits import Beat, near
from server.operations.transact import Entry
from shared import ids, ledger
from shared.operations import ACT, CREATE, Operation

TOLD_WITHIN = 12 * DAY
OPENS_AT, CLOSES_AT = 8.2, 18.4  # the hours in which actions are taken


def problem_entries(
    beats: Sequence[Beat], people: Mapping[str, str], photos: PhotoRecords
) -> Iterator[Entry]:
    """The problems of six grids: every story, dealt out among them."""
    plan = beats[0].plan
    rolls = dice(plan.seed, "stories", beats[0].grid.code)
    dealt = deck()
    rolls.shuffle(dealt)
    cases: list[Case] = []
    # What is to be merged into another comes last, when the others are known.
    before: Case | None = None
    for story in sorted(dealt, key=lambda one: ("merge" in one.road, one.again)):
        beat = beats[len(cases) % len(beats)]
        if story.again > 1 and before is not None:
            beat = before.beat
        case = Case(beat, people, photos, story, len(cases))
        if story.again > 1 and before is not None:
            case.before, case.category = before, before.category
        if story.again:
            before = case
        if "merge" in story.road:
            case.twin = _twin(case, cases)
        case.tell()
        cases.append(case)
        yield from (one for one in case.entries if (one.made_at or 0) < plan.now)


def _twin(case: Case, cases: list[Case]) -> Case:
    """A problem of the same grid that is known when this one is merged, at best one under way."""
    own = [other for other in cases if other.beat is case.beat]
    known = [other for other in own if other.times[0] < case.times[1]]
    open_ = [other for other in known if other.values["state"] == "in_progress"]
    return (open_ or known or own)[-1]


class Case:
    """One problem: its times, its entries, and its values as the ledger's rules leave them."""

    def __init__(
        self,
        beat: Beat,
        people: Mapping[str, str],
        photos: PhotoRecords,
        story: Story,
        number: int,
    ) -> None:
        self.beat, self.people, self.photos, self.story = beat, people, photos, story
        self.rolls = dice(beat.plan.seed, "case", beat.grid.code, number)
        self.road = [step for step in story.road.split() if step != "SPOT"]
        self.category = self._category()
        self.times = self._times()
        self.id = self.rolls.new_id(self.times[0])
        self.values: dict[str, Any] = {}
        self.entries: list[Entry] = []
        self.after_photos = 0
        self.twin: Case | None = None
        self.before: Case | None = None  # the same thing at the same place, earlier

    def tell(self) -> None:
        """Report the problem and take every action of its road."""
        self._report()
        for step, at in zip(self.road, self.times[1:], strict=True):
            self._step(step, at)

    def _category(self) -> dict[str, Any]:
        known = list(categories().values())
        if self.story.handled:
            known = [one for one in known if one["body"] == HANDLER_BODY]
        if self.story.name == "on the spot" or self.story.again:
            known = [
                one for one in known if one["place"] == "public" and one["parent"] != "emergency"
            ]
        return self.rolls.choice(known)

    def _times(self) -> list[int]:
        """When it was found and each action taken: backwards from the last, in office hours."""
        low, high = self.story.age
        last = self.beat.plan.today - int(self.rolls.uniform(low, high) * DAY) - HOUR
        moments = [last]
        for step in reversed(self.road):
            gap = self.rolls.uniform(*DELAYS.get(step, (0.4, 1.5)))
            moments.append(moments[-1] - int(gap * DAY))
        times = [_office(moment) for moment in reversed(moments)]
        if count := self.story.fresh:
            morning = (int(self.rolls.uniform(7, 11) * HOUR) for _ in range(count))
            times[-count:] = sorted(self.beat.plan.today + one for one in morning)
        return times

    def _report(self) -> None:
        at, rolls, one = self.times[0], self.rolls, self.category
        public = one["place"] == "public" or not self.beat.households
        home: Household | None = None if public else rolls.choice(self.beat.households)
        compound = home.compound if home else rolls.choice(self.beat.compounds)
        if self.twin:
            one = self.category = self.twin.category
            compound, home = self.twin.compound, None
        if self.before:
            compound = self.before.compound
        self.compound: Compound = compound
        spot = self.story.name == "on the spot"
        place = compound.values["name"]
        if home:
            place += home.values["building"] + home.values["unit"] + home.values["door"]
        else:
            place += rolls.choice(("", "东门", "2号楼", "3号楼", "1号楼1单元", "车棚旁"))
        text = rolls.choice(one["problems"]).format(place=place)
        if spot:
            text += rolls.choice(words("phrases")["spot"])
        source = rolls.choices(
            ("worker", "resident", "volunteer", "party_member", "hotline"), (58, 24, 6, 5, 7)
        )[0]
        told = home.values if home and source != "worker" else {}
        values = {
            "category": one["code"],
            "description": text,
            "place": place,
            "target_kind": "household" if home else "compound",
            "target_id": home.id if home else compound.id,
            "position": near(rolls, compound),
            "concern_tags": _concerns(rolls, one),
            "source": source,
            "reporter_name": told.get("contact_name"),
            "reporter_phone": told.get("contact_phone"),
            "found_at": at,
            "solved_on_spot": spot,
            "track": rolls.choices(
                ("routine", "campaign", "innovation", "long_term"), (80, 14, 2, 4)
            )[0],
        }
        partition = self.beat.grid.partition
        operations = [Operation(CREATE, "problem", self.id, partition, values=values)]
        if rolls.chance(0.65):
            operations += self.photos.of("problem", self.id, partition, "before", at)
        added, _ = ledger.start(values, self.beat.worker, at)
        self.values = values | added
        self.entries.append(Entry(self.beat.worker, operations, at))

    def _step(self, step: str, at: int) -> None:
        action = "callback" if step.startswith("callback") else step
        username, role, body = self._doer(action)
        if action == "request_closure":
            self._after_photo(at)
        data = self._data(step, at)
        actor = ledger.Actor(self.people[username], role, body)
        expect = {"state": self.values["state"], "step": self.values["step"]}
        facts = ledger.Facts(
            self.category["needs_after"], self.after_photos, ledger_no="?",
            resumed_due_at=self.values.get("due_at"),
        )  # fmt: skip
        changes, _ = ledger.act(self.values, action, actor, data, at, facts, expect)
        self.values |= changes
        operation = Operation(
            ACT,
            "problem",
            self.id,
            self.beat.grid.partition,
            action=action,
            expect=expect,
            data=data,
        )
        self.entries.append(Entry(actor.user_id, [operation], at))
        if step == "close" and self.values["source"] != "worker":
            self._tell_reporter(at)

    def _tell_reporter(self, at: int) -> None:
        """Who told of it is to hear what became of it; what is long past has been told."""
        today = self.beat.plan.today
        if at < today - TOLD_WITHIN or self.values.get("reopen_cause"):
            return
        values = {
            "user_id": self.beat.worker, "type": "tell_reporter", "about_kind": "problem",
            "about_id": self.id, "reason": self.values["result"],
        }  # fmt: skip
        partition = ids.person_partition(self.beat.worker)
        task = Operation(CREATE, "task", self.rolls.new_id(at), partition, values=values)
        self.entries.append(Entry(self.beat.supervisor, [task], at + 60_000))

    def _doer(self, action: str) -> tuple[str, str, str]:
        handled = self.values.get("body") == HANDLER_BODY
        grid = self.beat.grid
        if action in ("callback", "reopen") or (action == "request_closure" and not handled):
            return grid.worker, "grid_worker", ""
        if handled and "handler" in ledger.ACTIONS[action].roles:
            return "handler", "handler", HANDLER_BODY
        if action == "archive":
            return "admin", "admin", ""
        return grid.supervisor, "supervisor", ""

    def _after_photo(self, at: int) -> None:
        """Where the category asks for it, and now and then where it does not."""
        if not self.category["needs_after"] and not self.rolls.chance(0.3):
            return
        partition = self.beat.grid.partition
        operations = self.photos.of("problem", self.id, partition, "after", at - 60_000)
        if operations:
            username = self._doer("request_closure")[0]
            self.entries.append(Entry(self.people[username], operations, at - 30_000))
            self.after_photos += len(operations)

    def _data(self, step: str, at: int) -> dict[str, Any]:
        rolls, listed, one = self.rolls, words("phrases"), self.category
        reason = rolls.choice(listed[step]) if step in listed else ""
        if step == "return":
            reason = rolls.choice(listed["return_body"])
        data: dict[str, Any] = {"reason": reason} if reason else {}
        match step:
            case "return":
                data["return_cause"] = "not_ours"
            case "reopen":
                data["reopen_cause"] = "recurrence"
            case "register" if one["code"] in ("certificate", "illegal_building"):
                data["hard"] = True
            case "merge":
                data["merged_into"] = self.twin.id if self.twin else self.id
            case "dispatch":
                again = self.values["state"] == "reopened" or self.values.get("measure")
                data = self._dispatch(at, bool(again))
            case "request_suspend":
                data |= {"reason": rolls.choice(listed["suspend"])}
                data["suspended_until"] = self.beat.plan.today + rolls.randint(10, 60) * DAY
            case "request_closure":
                data = {"result": rolls.choice(one["results"]), "root_cause": one["cause"]}
            case "extend":
                data["due_at"] = max(self.values["due_at"], self.beat.plan.today) + 5 * DAY
            case "whistle":
                bodies = [
                    b[0] for b in words("categories")["bodies"] if b[0] != self.values["body"]
                ]
                data["co_bodies"] = sorted(rolls.sample(bodies, 2))
            case "callback_good":
                data = {
                    "satisfaction": rolls.choice(("satisfied", "satisfied", "satisfied", "fairly")),
                    "callback_note": rolls.choice(listed["callback_good"]),
                }
            case "callback_bad":
                note = rolls.choice(listed["callback_bad"])
                data = {"satisfaction": "unsatisfied", "callback_note": note}
        return data

    def _dispatch(self, at: int, again: bool) -> dict[str, Any]:
        one, today = self.category, self.beat.plan.today
        body = one["body"]
        if again and self.story.handled:
            body = "community"  # the first was the wrong one
        due = due_by(one["code"], at)
        if self.story.late:
            due = min(due, today - self.rolls.randint(2, 30) * HOUR)
            due = max(due, at + HOUR)
        elif due < today + DAY and self.values["state"] != "closed":
            due = max(due, min(at + 20 * DAY, today + self.rolls.randint(1, 6) * DAY))
        owner = next(b[3] for b in words("categories")["bodies"] if b[0] == body)
        measure = self.rolls.choice(one["measures"])
        return {"body": body, "measure": measure, "due_at": due, "owner": owner}


def _office(ms: int) -> int:
    """The same day's moment in office hours; the order of moments stays."""
    day = midnight(ms)
    share = (ms - day) / DAY
    return day + int((OPENS_AT + share * (CLOSES_AT - OPENS_AT)) * HOUR)


def _concerns(rolls: Dice, category: Mapping[str, Any]) -> list[str]:
    if category["parent"] == "emergency":
        return ["urgent"]
    found = rolls.choices(("urgent", "hard", "worry", "hope", ""), (2, 3, 4, 3, 6))[0]
    return [found] if found else []
