"""One small district for all screen tests; every test gets a phone store of its own."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mobile.sync.phone import Phone, VisitDraft
from mobile.ui.ports import SampleCamera
from tests.screens import district
from tests.screens.district import District, Line
from tests.screens.driver import Driver, running, sample_photos, set_up

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What opens a window is marked so, and is left out of the fast tier."""
    for item in items:
        if HERE in item.path.parents and "app" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.screen)


@pytest.fixture(scope="module", autouse=True)
def apps_are_let_go() -> Iterator[None]:
    """Each app that has ended is a knot of cycles with 15 MB of pictures."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A running server over demo data."""
    with district.running(tmp_path_factory.mktemp("district") / "demo") as found:
        yield found


@pytest.fixture(scope="session")
def pulled(place: District, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a phone that has pulled everything."""
    folder = tmp_path_factory.mktemp("pulled") / "phone"
    place.phone(folder).close()
    gc.freeze()  # the server's and the tests' own modules: no collection need look at them again
    return folder


@pytest.fixture
def store(pulled: Path, tmp_path: Path) -> Phone:
    """A copy of that phone, without a network: for what never leaves the phone."""
    shutil.copytree(pulled, tmp_path / "phone")
    phone = Phone.open(tmp_path / "phone", http=Line())
    line(phone).on = False
    return phone


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Start the app on a phone; `mobile.app.make_app` says what may be given."""
    set_up()
    with ExitStack() as stack:

        def start(phone: Phone, **parts: object) -> Driver:
            parts.setdefault("camera", SampleCamera(sample_photos(tmp_path)))
            driver = stack.enter_context(running(tmp_path / "unused", phone=phone, **parts))
            driver.keeps_pictures = "SHOTS" in os.environ
            return driver

        yield start


@pytest.fixture
def root(pulled: Path, tmp_path: Path) -> Path:
    """The data folder of a phone whose one person has pulled everything and saved a visit."""
    folder = tmp_path / "data"
    shutil.copytree(pulled, folder)
    phone = Phone.open(folder)
    home = phone.households()[0]
    values = {**phone.new_visit(home.id).values, "outcome": "met", "note": "还没发"}
    phone.save_visit(VisitDraft(values))
    phone.close()
    return folder


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """The app as it starts on a phone: over the folder, with its gate."""
    set_up()
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(running(root, **{"http": Line, **more}))


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where pictures go: $SHOTS; without that they are drawn and thrown away."""
    return Path(os.environ.get("SHOTS") or tmp_path / "shots")


def line(phone: Phone) -> Line:
    """The phone's network, to be switched."""
    found = phone._session
    assert isinstance(found, Line)
    return found
