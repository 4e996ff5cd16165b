"""The ledger is searched within words, within what the reader may see, and in step with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from server.operations.erase import erase
from server.operations.reindex import reindex
from server.operations.transact import Entry, submit_many
from server.storage import search
from server.storage.database import db, write
from server.storage.ledger_tables import ProblemSearch
from server.storage.models import Problem
from shared import ids
from shared.operations import SET, Operation
from tests.builders import FAR_GRID, World, create, problem
from tests.web.conftest import Visitor
from tests.web.scene import Scene

Look = Callable[[str, str], list[int]]


@pytest.fixture
def look(app: Flask, scene: Scene) -> Look:
    """Which of the scene's problems a person finds by a text, in any state."""

    def found(who: str, text: str) -> list[int]:
        page = Visitor(app).sign_in(who).get(f"/ledger?state=all&q={text}").text
        return [n for n, p in enumerate(scene.problems) if f'href="/ledger/{p}"' in page]

    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("门路灯", [1]), ("下夜班", [1]), ("感应灯损坏", [5]), ("感灯", []), ("漏 水 二单元", [0]),
        ("航海花园", [0, 1, 2, 3, 4, 5, 6, 7]), ("２单元", [1, 3, 5, 7]), ("%", []), ("_", []),
        ("未知的话", []),
    ],
)  # fmt: skip
def test_words_within_words(look: Look, text: str, found: list[int]) -> None:
    assert [n for n in look("supervisor", text)] == found


def test_the_category_s_name_finds_as_it_is_called_now(look: Look) -> None:
    by_name = look("supervisor", "漏水")
    assert {0, 2, 4, 7} <= set(by_name)  # the category's name; 0 also says so itself


def test_a_reader_finds_only_what_is_theirs(app: Flask, look: Look, scene: Scene) -> None:
    assert look("far_supervisor", "航海花园") == []
    assert look("handler", "下夜班") == [] and look("handler", "井盖") == [3]


def test_who_reported_is_no_way_in_for_a_handler(look: Look) -> None:
    assert look("supervisor", "13800001234") == [0, 3, 6] == look("supervisor", "张一")
    assert look("handler", "13800001234") == [] == look("handler", "张一")


def test_the_index_follows_every_change(app: Flask, world: World, look: Look) -> None:
    made = problem(world, description="树枝压住电线", place="北门")
    worker = world.users["worker"]
    with app.app_context():
        list(submit_many([Entry(worker, [made])]))
        assert _found(made.id, "压住电") and not _found(made.id, "围墙")
        change = Operation(
            SET, "problem", made.id, world.partition, seq=10**6, rev=1,
            fields={"description": ("树枝压住电线", "围墙开裂")},
        )  # fmt: skip
        list(submit_many([Entry(worker, [change])]))
        assert _found(made.id, "围墙") and not _found(made.id, "压住电")
        admin = world.users["admin"]
        assert erase(admin, world.households[0], "本人要求") > 1
        assert not _found(made.id, "围墙")
        left = select(func.count()).select_from(Problem).where(Problem.deleted_at.is_(None))
        assert db.session.scalar(select(func.count()).select_from(ProblemSearch)) == (
            db.session.scalar(left)
        )


def test_rebuilding_gives_what_was_kept_in_step(app: Flask, scene: Scene) -> None:
    with app.app_context():
        query = select(ProblemSearch.problem_id, ProblemSearch.terms)
        before = {key: str(terms) for key, terms in db.session.execute(query)}
        db.session.rollback()
        with write() as session:
            assert list(search.rebuild(session))[-1] == len(before)
        after = {key: str(terms) for key, terms in db.session.execute(query)}
        assert after == before
        assert _found(scene.problems[3], "井盖")


def test_the_newest_come_first_where_there_are_too_many(
    app: Flask, world: World, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        made = [
            create("problem", ids.grid_partition(FAR_GRID), category="lamp",
                   description=f"水管{n}", place="东门", source="worker", found_at=n)
            for n in range(6)
        ]  # fmt: skip
        list(submit_many([Entry(world.users["worker"], [one]) for one in made]))
        sought = search.Sought(search.bigrams.query("水管"), area=FAR_GRID)
        found = search.newest(db.session(), sought, 2)
        assert found == ([made[5].id, made[4].id], True)
        assert search.newest(db.session(), sought, 6) == ([one.id for one in made[::-1]], False)
        if database == "postgresql":  # what leaves too much is looked for among the last alone
            monkeypatch.setattr(search, "FEW", -1)
            monkeypatch.setattr(search, "LAST", 3)
            assert search.newest(db.session(), sought, 6) == (
                [one.id for one in made[:2:-1]], True
            )  # fmt: skip


def _found(problem_id: str, text: str) -> bool:
    sought = search.Sought(search.bigrams.query(text), area=ids.ROOT_AREA)
    return problem_id in list(db.session.scalars(search.matches(db.session(), sought)))


def test_the_index_is_made_anew(app: Flask, look: Look) -> None:
    with app.app_context(), write() as session:
        session.execute(delete(ProblemSearch))
    assert look("supervisor", "下夜班") == []
    with app.app_context():
        held = db.session.scalar(select(func.count()).select_from(Problem))
        assert reindex() == held
    assert look("supervisor", "下夜班") == [1]
