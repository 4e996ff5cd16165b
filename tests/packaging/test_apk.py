"""The Android package: what can be known of it without an SDK, and that faults are found."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path

import apk_checks
import check_apk
import pytest
from apk_package import ROOT, Package

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package laid out by buildozer and python-for-android."""
    return Package(tmp_path_factory.mktemp("apk"))


@pytest.fixture
def broken(package: Package, tmp_path: Path) -> Package:
    """A copy to break."""
    other = copy(package)
    other.app, other.project = tmp_path / "app", tmp_path / "project"
    shutil.copytree(package.app, other.app)
    for name in ("src/main/AndroidManifest.xml", "src/main/res", "build.gradle"):
        source, target = package.project / name, other.project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return other


OFFLINE = [check for _, _, check in check_apk.CHECKS if check is not check_apk.registry]


@pytest.mark.parametrize("check", OFFLINE, ids=lambda check: check.__name__)
def test_nothing_is_wrong(package: Package, check: check_apk.Check) -> None:
    assert list(check(package)) == []


def in_manifest(old: str, new: str) -> Callable[[Package], None]:
    def change(package: Package) -> None:
        path = package.project / "src/main/AndroidManifest.xml"
        text, count = re.subn(old, new, path.read_text("utf-8"))
        assert count
        path.write_text(text, "utf-8")

    return change


@pytest.mark.parametrize(
    ("check", "breaks", "said"),
    [
        (
            apk_checks.manifest,
            in_manifest("permission.CAMERA", "permission.READ_CONTACTS"),
            "permissions: ['CAMERA', 'READ_CONTACTS']",
        ),
        (apk_checks.manifest, in_manifest('allowBackup="false"', 'allowBackup="true"'), "backup"),
        (apk_checks.manifest, in_manifest('Orientation="portrait"', 'Orientation="user"'), "upri"),
        (apk_checks.manifest, in_manifest("@xml/file_paths", "@xml/elsewhere"), "is missing"),
        (apk_checks.provider, in_manifest("<provider(.|\n)*</provider>", ""), "0 providers"),
        (apk_checks.provider, in_manifest(".fileprovider", ".photos"), "authorities is app.gr"),
        (
            apk_checks.provider,
            lambda package: (package.project / "build.gradle").write_text("dependencies {}"),
            "no androidx.core",
        ),
        (
            apk_checks.files,
            lambda package: (package.app / "mobile/ui/shell.kv").unlink(),
            "not packed: mobile/ui/shell.kv",
        ),
        (
            apk_checks.imports,
            lambda package: (package.app / "mobile/extra.py").write_text(
                "def late():\n    import sqlalchemy\n"
            ),
            "mobile/extra.py:2: sqlalchemy is not on a phone",
        ),
        (
            apk_checks.android_modules,
            lambda package: (package.app / "mobile/ui/intent_camera.py").write_text(""),
            "camera.py: mobile.ui.intent_camera has no IntentCamera",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_found(
    broken: Package, check: check_apk.Check, breaks: Callable[[Package], None], said: str
) -> None:
    breaks(broken)
    assert any(said in line for line in check(broken)), list(check(broken))


def test_a_requirement_that_is_not_built_is_found(package: Package) -> None:
    other = copy(package)
    other.recipes = {name: v for name, v in package.recipes.items() if name != "cryptography"}
    other.pinned = package.pinned | {"requests": "2.0.0"}
    wrong = " ".join(apk_checks.requirements(other))
    assert "cryptography: neither a recipe nor a wheel" in wrong
    assert "requests: 2.0.0 is built, >=2.32 is needed" in wrong


def test_a_misspelt_token_ends_it(tmp_path: Path) -> None:
    spec = (ROOT / "buildozer.spec").read_text("utf-8").replace("android.api", "android.apis")
    (tmp_path / "buildozer.spec").write_text(spec, "utf-8")
    done = subprocess.run(
        [ROOT / ".venv-apk/bin/python", ROOT / "tools/lay_out_apk.py", tmp_path / "out"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode and "buildozer knows no [app] android.apis" in done.stderr


def test_where_no_sdk_is_what_is_missing_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/apk.py"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Android SDK: ANDROID_HOME" in done.stdout and "javac" in done.stdout
    assert "Traceback" not in done.stderr
