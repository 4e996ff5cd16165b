"""Lay the Android package out as buildozer and python-for-android do, as far as no SDK is needed.

    .venv-apk/bin/python tools/lay_out_apk.py FOLDER

Their own code does it, here as in a real build: buildozer checks buildozer.spec, copies the
sources and puts python-for-android's commands together; python-for-android orders the recipes,
runs our hook and makes the Android project. Only what needs a compiler is left out, and Python
files stay as they are. FOLDER then holds

    project/    the Android project: manifest, resources, build.gradle, private.tar
    app/        what private.tar holds: the files of the app on a phone
    facts.json  what is built by a recipe and what comes as a wheel; the package's name
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

os.environ["P4A_BUILD_IS_RUNNING_UNITTESTS"] = "1"  # build.py then asks for no compiled Python

from buildozer import Buildozer
from buildozer import __file__ as buildozer_file
from buildozer.specparser import SpecParser
from buildozer.targets.android import TargetAndroid
from pythonforandroid.bootstrap import Bootstrap
from pythonforandroid.graph import get_recipe_order_and_bootstrap
from pythonforandroid.recipe import PyProjectRecipe, Recipe
from pythonforandroid.toolchain import ToolchainCL
from pythonforandroid.util import load_source

SPEC = "buildozer.spec"
BUILD_TOOLS = "34.0.0"  # an empty folder of this name stands for the SDK's tools


class Finished(Exception):
    """The project stands; what follows needs the SDK."""


class Toolchain(ToolchainCL):
    """python-for-android's command line, its commands ended where compilers begin."""

    target: Target

    def create(self, args: Any) -> None:
        """Order the recipes, and copy the files of the Android project."""
        self._context()
        bootstrap = Bootstrap.get_bootstrap(args.bootstrap, self.ctx)
        recipes, wheels, bootstrap = get_recipe_order_and_bootstrap(
            self.ctx, args.requirements.split(","), bootstrap
        )
        built = [Recipe.get_recipe(name, self.ctx) for name in recipes]
        self.target.facts |= {
            "recipes": {one.name: str(one.version) for one in built},
            "wheels": sorted(wheels),
            "platforms": [
                tag
                for arch in self.target._archs
                for tag in PyProjectRecipe.get_wheel_platform_tags(arch, self.ctx)
            ],
        }
        self.ctx.recipe_build_order = recipes
        bootstrap.prepare_build_dir()
        made = Path(self.ctx.dist_dir) / args.dist_name
        shutil.copytree(bootstrap.build_dir, made)
        info = {"ndk_api": args.ndk_api, "bootstrap": args.bootstrap, "archs": []}
        (made / "dist_info.json").write_text(json.dumps(info))
        sdk = self.target.folder / "sdk"
        (sdk / "build-tools" / BUILD_TOOLS).mkdir(parents=True)
        (made / "local.properties").write_text(f"sdk.dir={sdk}")

    def apk(self, args: Any) -> None:
        """As `_build_package` there, up to gradle."""
        self._context()
        self._fix_args(args)
        made = Path(self.ctx.dist_dir) / args.dist_name
        os.chdir(made)
        self.hook("before_apk_build")
        build = load_source("build", str(made / "build.py"))
        build.parse_args_and_make_package([*args.unknown_args, "--no-byte-compile-python"])
        self.hook("after_apk_build")
        made.rename(self.target.folder / "project")

    def _context(self) -> None:
        self.ctx.ensure_dirs()
        self.ctx._android_api = int(self.target.android_api)
        self.ctx._ndk_api = self.args.ndk_api


class Target(TargetAndroid):
    """buildozer's target; python-for-android runs in this process."""

    folder: Path
    facts: dict[str, Any]

    def _p4a(self, cmd: list[str], env: Any, **_: Any) -> None:
        sys.argv = ["p4a", *cmd, *self.extra_p4a_args]
        Toolchain.target = self
        Toolchain()
        if cmd[0] == self.artifact_format:
            raise Finished


def unknown_tokens() -> list[str]:
    """Tokens of our spec that buildozer's own example does not know: misspelt ones."""
    ours = SpecParser()
    ours.read(SPEC, "utf-8")
    example = (Path(buildozer_file).parent / "default.spec").read_text("utf-8")
    known = {line.lstrip("# ").split("=")[0].strip() for line in example.splitlines()}
    return [f"[{part}] {name}" for part in ours.sections() for name in ours[part]
            if name not in known]  # fmt: skip


def main() -> None:
    """Lay it out."""
    folder = Path(sys.argv[1]).absolute()
    if unknown := unknown_tokens():
        sys.exit(f"{SPEC}: buildozer knows no {', '.join(unknown)}")
    buildozer = Buildozer(SPEC)
    buildozer.config.set("buildozer", "build_dir", str(folder / "made"))
    buildozer.targetname = "android"
    target = Target(buildozer)
    target.folder = folder
    target.facts = {"package": target._get_package(), "version": buildozer.get_version()}
    buildozer._copy_application_sources()
    buildozer._add_sitecustomize()
    target.compile_platform()
    try:
        target.build_package()
    except Finished:
        with tarfile.open(folder / "project/src/main/assets/private.tar") as tar:
            tar.extractall(folder / "app", filter="data")
    (folder / "facts.json").write_text(json.dumps(target.facts))


if __name__ == "__main__":
    main()
