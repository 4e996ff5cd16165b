"""What can be read off the laid-out Android package. Each check gives what is wrong."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from apk_package import ROOT, TOPS, Package, phone_packages, run, top_names
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ADDED = {"p4a_env_vars.txt", "sitecustomize.py"}  # by buildozer and python-for-android
NOT_PACKED = {"py.typed"}
# Permissions that no Python code asks for by name: sockets, and what the network is.
SILENT = {"INTERNET", "ACCESS_NETWORK_STATE"}
ONLY_THERE = {"jnius", "android"}  # modules that recipes of these names bring
ANDROID = "{http://schemas.android.com/apk/res/android}"


def requirements(package: Package) -> Iterator[str]:
    """Every need of the app is met by a recipe or a pure wheel, in the version that tests use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for text in project["optional-dependencies"]["mobile"]:
        need = Requirement(text)
        name = canonicalize_name(need.name)
        version = package.recipes.get(name) or package.pinned.get(need.name)
        if name not in package.recipes and name not in package.wheels:
            yield f"{need.name}: neither a recipe nor a wheel"
        elif not version or version not in need.specifier:
            yield f"{need.name}: {version or 'no version'} is built, {need.specifier} is needed"
    for name, version in package.pinned.items():
        if canonicalize_name(name) in package.wheels:
            here = importlib.metadata.version(name)
            if here != version:
                yield f"{name}: buildozer.spec has {version}, the tests run with {here}"
            if not _is_pure(name):
                yield f"{name}: not pure Python; it needs a recipe"


def _is_pure(name: str) -> bool:
    text = importlib.metadata.distribution(name).read_text("WHEEL") or ""
    return "Root-Is-Purelib: true" in text


def imports(package: Package) -> Iterator[str]:
    """Nothing is imported but the standard library and what is packed."""
    phone = {*sys.stdlib_module_names, *ONLY_THERE, "mobile", "shared", "gl"}
    phone |= {top for name in phone_packages(package) for top in top_names(name)}
    for path in sorted(package.app.rglob("*.py")):
        for line, name in _imported(ast.parse(path.read_text("utf-8"))):
            if name not in phone:
                yield f"{path.relative_to(package.app)}:{line}: {name} is not on a phone"


def _imported(tree: ast.AST, optional: bool = False) -> Iterator[tuple[int, str]]:
    """Top names of the modules that must be there: not those within a ``try``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        inside = optional or isinstance(node, ast.Try)
        if isinstance(node, ast.Import) and not optional:
            yield from ((node.lineno, one.name.split(".")[0]) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not optional:
            yield node.lineno, (node.module or "").split(".")[0]
        else:
            yield from _imported(node, inside)


def manifest(package: Package) -> Iterator[str]:
    """The manifest as the system will read it."""
    root = package.manifest()
    application = root.find("application")
    assert application is not None
    asked = {_of(one, "name").rpartition(".")[2] for one in root.iter("uses-permission")}
    code = "".join(path.read_text("utf-8") for path in (ROOT / "mobile/android").glob("*.py"))
    used = set(re.findall(r"Permission\.([A-Z_]+)", code)) | SILENT
    if asked != used:
        yield f"permissions: {sorted(asked ^ used)} are asked for or used, not both"
    activities = list(application.iter("activity"))
    if [_of(one, "screenOrientation") for one in activities] != ["portrait"]:
        yield "one activity, upright: " + str([one.attrib for one in activities])
    links = [(_of(one, "scheme"), _of(one, "host")) for one in application.iter("data")]
    if links != [("gridledger", "enrol")]:
        yield f"the app opens for {links}, not for the link of an enrolment code alone"
    if _of(application, "allowBackup") != "false":
        yield "a backup could carry the phone's identity to another phone"
    if list(application.iter("service")) or list(application.iter("receiver")):
        yield "there is a service or a receiver that nobody asked for"
    for one in application:
        if _of(one, "exported") == "true" and one.tag != "activity":
            yield f"others may use {_of(one, 'name')}"
    sdk = root.find("uses-sdk")
    if sdk is None or (_of(sdk, "minSdkVersion"), _of(sdk, "targetSdkVersion")) != ("24", "34"):
        yield "not for Android 7 to 14"
    yield from _resources(package, root)


def provider(package: Package) -> Iterator[str]:
    """The camera app gets into photos_in/ by the name that mobile/android/camera.py asks for."""
    found = list(package.manifest().iter("provider"))
    if len(found) != 1:
        yield f"{len(found)} providers"
        return
    code = (ROOT / "mobile/android/camera.py").read_text("utf-8")
    suffix = re.search(r'^AUTHORITY = "(.*)"', code, re.MULTILINE)
    assert suffix
    wanted = {
        "name": "androidx.core.content.FileProvider",
        "authorities": package.facts["package"] + suffix[1],
        "exported": "false",
        "grantUriPermissions": "true",
    }
    for name, value in wanted.items():
        if _of(found[0], name) != value:
            yield f"provider: {name} is {_of(found[0], name)}, not {value}"
    paths = ElementTree.parse(package.project / "src/main/res/xml/file_paths.xml").getroot()
    shown = [(one.tag, one.get("path")) for one in paths]
    if shown != [("files-path", "photos_in/")]:
        yield f"file_paths.xml lets the camera into {shown}"
    if "androidx.core:core:" not in (package.project / "build.gradle").read_text():
        yield "build.gradle: no androidx.core, where FileProvider is"


def _of(element: ElementTree.Element, name: str) -> str:
    return element.get(ANDROID + name, "")


def _resources(package: Package, root: ElementTree.Element) -> Iterator[str]:
    """What the manifest names of our own is there."""
    folder = package.project / "src/main/res"
    for element in root.iter():
        for value in element.attrib.values():
            kind, slash, name = value.removeprefix("@").partition("/")
            if (
                not slash
                or not value.startswith("@")
                or kind in ("string", "style", "android:style")
            ):
                continue
            if not list(folder.glob(f"{kind}*/{name}.*")):
                yield f"manifest: {value} is missing"


def files(package: Package) -> Iterator[str]:
    """All files of the app are packed, and nothing else."""
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *TOPS])
    ours = {name for name in listed.splitlines() if Path(name).name not in NOT_PACKED}
    fonts = ROOT / "mobile/assets/fonts"
    ours |= {str(path.relative_to(ROOT)) for path in fonts.iterdir()}
    packed = {str(p.relative_to(package.app)) for p in package.app.rglob("*") if p.is_file()}
    yield from (f"not packed: {name}" for name in sorted(ours - packed))
    yield from (f"packed, and nothing of the app: {name}" for name in sorted(packed - ours - ADDED))


def android_modules(package: Package) -> Iterator[str]:
    """What only runs on Android names nothing of ours that is not there."""
    for path in sorted((package.app / "mobile/android").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mobile."):
                source = package.app / ((node.module or "").replace(".", "/") + ".py")
                names = _defined(source) if source.exists() else set()
                missing = [one.name for one in node.names if one.name not in names]
                yield from (f"{path.name}: {node.module} has no {name}" for name in missing)


def _defined(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {one.asname or one.name for one in node.names}
    return found
