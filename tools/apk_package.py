"""The Android package, laid out in a folder by buildozer's and python-for-android's own code."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
APK_PYTHON = ROOT / ".venv-apk/bin/python"
TOPS = ("main.py", "mobile", "shared")


class Faulty(Exception):
    """What is wrong, one line each."""


class Package:
    """The package laid out in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.app, self.project = folder, folder / "app", folder / "project"
        run([APK_PYTHON, ROOT / "tools/lay_out_apk.py", folder])
        self.facts: dict[str, Any] = json.loads((folder / "facts.json").read_text())
        self.recipes = {canonicalize_name(n): v for n, v in self.facts["recipes"].items()}
        self.wheels = {canonicalize_name(name) for name in self.facts["wheels"]}
        spec = (ROOT / "buildozer.spec").read_text("utf-8")
        self.pinned = dict(re.findall(r"([\w.-]+)==([\w.]+)", spec))

    def manifest(self) -> ElementTree.Element:
        """Parsed."""
        return ElementTree.parse(self.project / "src/main/AndroidManifest.xml").getroot()


def run(command: list[Any], **more: Any) -> str:
    """Run a command of ours in the project's folder; what it said, also when it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more,
    )  # fmt: skip
    if done.returncode:
        raise Faulty("\n".join(done.stdout.splitlines()[-25:]))
    return done.stdout


def phone_packages(package: Package) -> set[str]:
    """Names of the installed packages that the phone has too, with what its wheels need."""
    found: set[str] = set()
    left = [*package.recipes, *package.wheels]
    while left:
        name = canonicalize_name(left.pop())
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # a library in C, or what only Android has
        if name in found or name in ("setuptools", "six"):
            continue
        found.add(name)
        if name in package.wheels:
            needs = [Requirement(text) for text in distribution.requires or ()]
            left += [one.name for one in needs if not one.marker]
    return found


def top_names(name: str, whole: bool = False) -> set[Any]:
    """What a package puts into the folder of packages: paths, or names to import."""
    distribution = importlib.metadata.distribution(name)
    tops = {path.parts[0] for path in distribution.files or () if path.parts[0] != ".."}
    if whole:
        return {Path(str(distribution.locate_file(top))) for top in tops if "dist-info" not in top}
    return {top.split(".")[0] for top in tops if top.endswith((".py", ".so")) or "." not in top}
