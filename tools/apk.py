"""Make the Android package: `make apk`, or `make apk ARGS=release`.

Says what is missing where something is. With all there, buildozer builds in .buildozer/ and leaves
the package in bin/.

    .venv/bin/python tools/apk.py [debug|release] [--fetch]

--fetch lets buildozer download the SDK and NDK where there are none (3 GB; asks for the licence).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-apk"
FONT = ROOT / "mobile/assets/fonts/NotoSansSC-Regular.ttf"
PLATFORM = Path.home() / ".buildozer/android/platform"
# What is started, which package of Debian brings it, and what for.
PROGRAMS = {
    "javac": ("openjdk-17-jdk", "Java 17"),
    "keytool": ("openjdk-17-jdk", "Java 17"),
    "git": ("git", "fetches python-for-android"),
    "unzip": ("unzip", "unpacks what is fetched"),
    "autoconf": ("autoconf", "builds libffi"),
    "automake": ("automake", "builds libffi"),
    "libtoolize": ("libtool", "builds libffi"),
    "pkg-config": ("pkg-config", "builds Python"),
    "cmake": ("cmake", "builds libjpeg"),
    "rustup": ("rustup", "builds cryptography"),
}


def sdk() -> Path | None:
    """The Android SDK: ANDROID_HOME, or the one that buildozer has fetched."""
    named = os.environ.get("ANDROID_HOME") or os.environ.get("ANDROID_SDK_ROOT")
    places = [Path(named)] if named else [PLATFORM / "android-sdk"]
    return next((one for one in places if one.is_dir()), None)


def ndk() -> Path | None:
    """The NDK: ANDROID_NDK_HOME, or the one that buildozer has fetched."""
    named = os.environ.get("ANDROID_NDK_HOME")
    places = [Path(named)] if named else sorted(PLATFORM.glob("android-ndk-*"))
    return next((one for one in places if one.is_dir()), None)


def missing(fetch: bool) -> list[str]:
    """What is not there, one line each."""
    found = [
        f"{name}（apt-get install {package}）: {purpose}"
        for name, (package, purpose) in PROGRAMS.items()
        if not shutil.which(name)
    ]
    if not FONT.is_file():
        found.append("中文字体（make setup）/ the Chinese font (make setup)")
    if not fetch and not sdk():
        found.append("Android SDK: ANDROID_HOME, 或 / or: make apk ARGS=--fetch")
    if not fetch and not ndk():
        found.append("Android NDK: ANDROID_NDK_HOME, 或 / or: make apk ARGS=--fetch")
    return found


def main() -> int:
    """Build, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", nargs="?", choices=("debug", "release"), default="debug")
    parser.add_argument("--fetch", action="store_true", help="let buildozer fetch SDK and NDK")
    given = parser.parse_args()
    if lacking := missing(given.fetch):
        print("这台机器还不能打包，缺少：/ This machine cannot make the package; missing:")
        print("\n".join(f"  - {one}" for one in lacking))
        print("其余可先检查：make check-apk / The rest can be checked: make check-apk")
        return 1
    around = {
        **os.environ,
        "VIRTUAL_ENV": str(ENVIRONMENT),
        "PATH": f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "APP_ANDROID_SDK_PATH": str(sdk() or ""),
        "APP_ANDROID_NDK_PATH": str(ndk() or ""),
    }
    command = [ENVIRONMENT / "bin/buildozer", "android", given.mode]
    return subprocess.run(command, cwd=ROOT, env=around).returncode


if __name__ == "__main__":
    sys.exit(main())
