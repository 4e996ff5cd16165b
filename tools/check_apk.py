"""Check the Android package as far as that goes without an SDK: `make check-apk`.

The package is laid out by buildozer's and python-for-android's own code (tools/lay_out_apk.py);
then its requirements, its manifest and its files are checked, and the app is run from those files
alone, compiled as on the phone, with no package beside it that a phone has not.

    .venv/bin/python tools/check_apk.py [--offline]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apk_checks
from apk_package import ROOT, TOPS, Faulty, Package, phone_packages, run, top_names
from packaging.utils import canonicalize_name

PROOF = ("bench/__init__.py", "bench/phone.py", "tests/screens/driver.py",
         "tests/screens/finger.py", "tests/packaging/packed_app.py")  # fmt: skip
START = (
    "import runpy, sys; sys.path[:0] = sys.argv[2:]; sys.argv[:] = sys.argv[1:3];"
    " runpy.run_path(sys.argv[0], run_name='__main__')"
)


def app(package: Package) -> Iterator[str]:
    """The app runs from its packed files, compiled as on the phone, with the phone's packages."""
    compiled = package.folder / "compiled"
    compiled.mkdir()
    for top in TOPS:
        run(["cp", "-r", package.app / top, compiled])
    run([sys.executable, "-OO", "-m", "compileall", "-q", "-b", compiled])
    for path in compiled.rglob("*.py"):
        path.unlink()
    site, proof = package.folder / "site", package.folder / "proof"
    site.mkdir()
    for name in phone_packages(package):
        for top in top_names(name, whole=True):
            (site / top.name).symlink_to(top)
    for name in PROOF:
        (proof / name).parent.mkdir(parents=True, exist_ok=True)
        (proof / name).write_bytes((ROOT / name).read_bytes())
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "LIBGL_ALWAYS_SOFTWARE", "TMPDIR")
    around = {name: os.environ[name] for name in kept if name in os.environ}
    try:
        run(
            [sys.executable, "-I", "-S", "-c", START, proof / PROOF[-1], compiled, site, proof],
            env=around,
        )
    except Faulty as error:
        yield str(error)


def registry(package: Package) -> Iterator[str]:
    """pip finds a pure wheel of each for the phone's Python, as python-for-android asks it to."""
    wanted = [f"{name}=={version}" for name, version in package.pinned.items()
              if canonicalize_name(name) in package.wheels]  # fmt: skip
    platforms = [f"--platform={tag}" for tag in package.facts["platforms"]]
    python = f"--python-version={package.pinned['python3']}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    options = ["--dry-run", "--ignore-installed", "--only-binary=:all:", "--quiet", "--quiet"]
    target = ["--target", package.folder / "nothing"]
    try:
        run([*pip, *options, *target, python, *platforms, *wanted])
    except Faulty as error:
        yield str(error)


Check = Callable[[Package], Iterator[str]]
CHECKS: list[tuple[str, str, Check]] = [
    ("所需软件包", "requirements: recipes and pure wheels", apk_checks.requirements),
    ("导入的模块", "nothing imported that a phone has not", apk_checks.imports),
    ("清单文件", "the manifest", apk_checks.manifest),
    ("相机写照片的入口", "the camera's way in", apk_checks.provider),
    ("打包的文件", "all files packed, and no others", apk_checks.files),
    ("安卓部分的代码", "the code for Android alone", apk_checks.android_modules),
    ("只用包里的文件运行应用", "the app runs from its packed files alone", app),
    ("各软件包可以下载", "the registry has a pure wheel of each", registry),
]


def main() -> int:
    """Lay the package out, check it, say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--offline", action="store_true", help="do not ask the package registry")
    given = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="apk-") as folder:
        started = time.monotonic()
        try:
            package = Package(Path(folder))
        except Faulty as error:
            print(f"✗ 布置安装包 / laying the package out\n{error}")
            return 1
        _say("✓", "用 buildozer 布置安装包", "laid out by buildozer", started)
        for chinese, english, check in CHECKS:
            if given.offline and check is registry:
                continue
            started = time.monotonic()
            wrong = list(check(package))
            _say("✗" if wrong else "✓", chinese, english, started)
            for line in wrong:
                print(f"    {line}")
            failed = failed or bool(wrong)
    return int(failed)


def _say(mark: str, chinese: str, english: str, started: float) -> None:
    print(f"{mark} {chinese} / {english}  ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
