"""The demo's records: the same for the same seed, believable, and legal in every step."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import pairwise

import pytest

from gridledger.demo.data import Block, base_entries, blocks
from gridledger.demo.dice import SHANGHAI
from gridledger.demo.photos import Picture
from gridledger.demo.plan import Plan, divisions
from server.operations.transact import Entry
from shared import ids, ledger, schemas
from shared.operations import ACT, CREATE, Operation

NOW = int(datetime(2026, 11, 24, 15, 0, tzinfo=SHANGHAI).timestamp() * 1000)
PICTURES = [Picture(f"{n:064x}", 1280, 960, b"photo") for n in range(12)]


def people(plan: Plan) -> dict[str, str]:
    return {p.username: ids.uuid7(1, p.username.encode().ljust(10, b".")) for p in plan.people()}


def made(plan: Plan) -> list[Entry]:
    known = people(plan)
    entries = list(base_entries(plan, known["admin"]))
    for block in blocks(plan, known, PICTURES):
        entries += block.standing + block.history
    return entries


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(seed=1, households=1200, now=NOW)


@pytest.fixture(scope="module")
def entries(plan: Plan) -> list[Entry]:
    return made(plan)


@pytest.fixture(scope="module")
def operations(entries: list[Entry]) -> list[Operation]:
    return [operation for entry in entries for operation in entry.operations]


@pytest.fixture(scope="module")
def created(operations: list[Operation]) -> dict[str, list[Operation]]:
    found: dict[str, list[Operation]] = {}
    for operation in operations:
        if operation.op == CREATE:
            found.setdefault(operation.kind, []).append(operation)
    return found


def test_the_same_seed_and_day_give_the_same_records(plan: Plan, entries: list[Entry]) -> None:
    again = made(Plan(plan.seed, plan.households, plan.now))
    assert [e.made_at for e in again] == [e.made_at for e in entries]
    assert [o.to_json() for e in again for o in e.operations] == [
        o.to_json() for e in entries for o in e.operations
    ]


def test_another_seed_gives_other_people(plan: Plan, created: dict[str, list[Operation]]) -> None:
    other = [o for e in made(Plan(2, 1200, NOW)) for o in e.operations if o.kind == "household"]
    first = [o.values["contact_name"] for o in created["household"]]
    assert first != [o.values["contact_name"] for o in other]


def test_later_that_day_only_todays_visits_are_added(entries: list[Entry]) -> None:
    evening = {o.id for e in made(Plan(1, 1200, NOW + 5 * 3_600_000)) for o in e.operations}
    afternoon = {o.id for e in entries for o in e.operations}
    assert afternoon < evening


def test_every_operation_is_one_that_the_server_takes(operations: list[Operation]) -> None:
    message = schemas.OperationMessage()
    assert all(not message.validate(operation.to_json()) for operation in operations)


def test_ids_are_unique(operations: list[Operation]) -> None:
    created = [operation.id for operation in operations if operation.op == CREATE]
    assert len(created) == len(set(created))


def test_nothing_is_made_in_the_future(entries: list[Entry]) -> None:
    assert max(entry.made_at or 0 for entry in entries) < NOW


def test_each_block_is_in_the_order_of_time(plan: Plan) -> None:
    block: Block = next(blocks(plan, people(plan), PICTURES))
    times = [entry.made_at or 0 for entry in block.history]
    assert times == sorted(times)


def test_the_demo_has_the_promised_size(created: dict[str, list[Operation]]) -> None:
    counts = {kind: len(found) for kind, found in created.items()}
    assert counts["compound"] == 60
    assert counts["household"] == 1200
    assert 145 <= counts["problem"] <= 170
    assert 3_200 <= counts["visit"] <= 4_000
    assert counts["area"] == 4 + 2 + 6
    unmanaged = [c for c in created["compound"] if c.values["management"] == "none"]
    assert len(unmanaged) == 8
    categories = [r for r in created["reference"] if r.values["type"] == "category"]
    assert len(categories) == 75  # those that are shipped, in two levels
    parents = {c.values["data"]["parent"] for c in categories} - {None}
    assert parents < {c.values["code"] for c in categories}


def test_real_division_codes_stand_above_the_invented_communities(
    created: dict[str, list[Operation]],
) -> None:
    names = {area.values["code"]: area.values["name"] for area in created["area"]}
    assert names["41"] == "河南省"
    assert names["4101"] == "郑州市"
    assert names["410103"] == "二七区"
    assert names["410103007"] == "大学路街道"
    assert len([code for code in names if len(code) == 15]) == 6
    assert divisions()["410103007"] == ("大学路街道", "410103")


def test_names_include_long_and_rare_ones(created: dict[str, list[Operation]]) -> None:
    names = [home.values["contact_name"] for home in created["household"]]
    assert max(len(name) for name in names) == 25
    assert any("䶮" in name for name in names)
    assert any("𬭎" in name for name in names)
    assert Counter(name[0] for name in names).most_common(4)[0][1] > 60


def test_care_groups_mark_about_an_eighth_of_the_doors(
    created: dict[str, list[Operation]],
) -> None:
    share = sum(bool(h.values["care_groups"]) for h in created["household"]) / 1200
    assert 0.09 < share < 0.15


def test_doors_come_in_stair_order(created: dict[str, list[Operation]]) -> None:
    last: dict[str, tuple[int, ...]] = {}
    for home in created["household"]:
        values = home.values
        door = tuple(
            int("".join(filter(str.isdigit, values[n]))) for n in ("building", "unit", "door")
        )
        assert door > last.get(values["compound_id"], (0,))
        last[values["compound_id"]] = door


def test_phone_numbers_belong_to_nobody(created: dict[str, list[Operation]]) -> None:
    numbers = [h.values["contact_phone"] for h in created["household"] if h.values["contact_phone"]]
    assert all(len(number) == 11 and number[3:7] == "0000" for number in numbers)


def test_notes_differ(created: dict[str, list[Operation]]) -> None:
    met = [v.values["note"] for v in created["visit"] if v.values["outcome"] == "met"]
    assert len(set(met)) > 0.8 * len(met)


def test_problems_end_in_every_state(entries: list[Entry]) -> None:
    """Replayed by the rules of the ledger, with what each actor expected."""
    known = people(Plan(1, 1200, NOW))
    role_of = {known[p.username]: p for p in Plan(1, 1200, NOW).people()}
    problems: dict[str, dict[str, object]] = {}
    for entry in entries:
        for operation in entry.operations:
            if operation.kind != "problem":
                continue
            at = entry.made_at or 0
            if operation.op == CREATE:
                added, _ = ledger.start(operation.values, entry.author, at)
                problems[operation.id] = {**operation.values, **added}
            elif operation.op == ACT:
                person = role_of[entry.author]
                actor = ledger.Actor(entry.author, person.role, person.body or "")
                facts = ledger.Facts(ledger_no="x", after_photos=1)
                problem = problems[operation.id]
                changes, _ = ledger.act(
                    problem, operation.action, actor, operation.data, at, facts, operation.expect
                )
                problem |= changes
    states = Counter(problem["state"] for problem in problems.values())
    assert set(states) == set(ledger.STATES)
    late = [p for p in problems.values() if p["state"] in ledger.OPEN_STATES and p.get("due_at")]
    assert sum(int(str(p["due_at"])) < NOW for p in late) >= 8
    assert any(p["state"] == "closed" and p["solved_on_spot"] for p in problems.values())
    assert any(p.get("supervised") for p in problems.values())


def test_a_large_demo_is_made_of_more_streets_and_blocks() -> None:
    plan = Plan(1, 20_000, NOW)
    communities = plan.communities()
    assert sum(grid.households for c in communities for grid in c.grids) == 20_000
    codes = [grid.code for c in communities for grid in c.grids]
    assert len(codes) == len(set(codes)) == 3 * len(communities)
    assert len({c.street for c in communities}) > 5
    usernames = [person.username for person in plan.people()]
    assert len(usernames) == len(set(usernames))


def test_the_times_of_each_problem_go_forward(entries: list[Entry]) -> None:
    steps: dict[str, list[int]] = {}
    for entry in entries:
        for operation in entry.operations:
            if operation.kind == "problem":
                steps.setdefault(operation.id, []).append(entry.made_at or 0)
    assert all(a <= b for times in steps.values() for a, b in pairwise(times))
