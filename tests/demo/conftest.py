"""A small demo, made once and copied for each test that changes it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gridledger.demo import build
from gridledger.demo.plan import Plan
from tests.listening import listening

HOUSEHOLDS = 240


@pytest.fixture(scope="session")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo database as `gridledger demo` makes it, before the round. Not to be changed."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    plan = Plan(seed=1, households=HOUSEHOLDS, now=time.time_ns() // 1_000_000)
    build.build(folder, plan, lambda zh, en: None)
    return folder


@pytest.fixture
def demo(finished_demo: Path, tmp_path: Path) -> Path:
    """A demo of the test's own."""
    folder = tmp_path / "demo"
    shutil.copytree(finished_demo, folder)
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The demo's real application on a free port; the address."""
    with build.application(folder) as app, listening(app) as url:
        yield url
