"""Open a roster's XLSX with suspicion: sizes first, then rows one by one; nothing is kept whole."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string

from server.core.roster_cells import Cells, Merge, filled
from server.errors import Trouble

MAX_FILE = 50 * 2**20
MAX_UNPACKED = 300 * 2**20
MAX_STRINGS = 100 * 2**20  # the table of texts is read into memory
MAX_RATIO, RATIO_FROM = 200, 20 * 2**20  # no real sheet of such a size packs so well
MAX_PARTS = 2000
MAX_ROWS, MAX_COLUMNS = 1_048_576, 200
MAX_BLANK = 1000  # rows one after another; of a gap that is longer the rest is passed over

_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_MERGE_LENGTH = 80


@dataclass(frozen=True)
class Sheet:
    """One visible sheet; ``rows`` gives (row number from 1, cells) once, merged blocks filled."""

    name: str
    rows: Iterator[tuple[int, Cells]]


def sheets(path: Path, name: str = "") -> Iterator[Sheet]:
    """The visible sheets of an XLSX file. Raises Trouble "invalid" or "too_large"."""
    shown = name or path.name
    merges_of = _check_package(path, shown)
    with path.open("rb") as file:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles it does not keep
            try:
                workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            except Exception as error:  # any part of a damaged file may be what it trips over
                _refuse(shown, error)
        try:
            for sheet in workbook.worksheets:
                if sheet.sheet_state == "visible":
                    part = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
                    yield Sheet(sheet.title, _rows(sheet, merges_of(part), shown))
        finally:
            workbook.close()


def _rows(sheet: Any, merges: list[Merge], shown: str) -> Iterator[tuple[int, Cells]]:
    sheet.reset_dimensions()  # what a file says of its own extent is often wrong
    rows = sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True)
    yield from filled(_quietly(enumerate(rows, start=1), shown), merges)


def _quietly(rows: Iterator[tuple[int, Cells]], shown: str) -> Iterator[tuple[int, Cells]]:
    blank = 0
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as dates that no calendar has
            try:
                number, cells = next(rows)
                while blank > MAX_BLANK and cells.count(None) == len(cells):
                    number, cells = next(rows)
            except StopIteration:
                return
            except Exception as error:
                _refuse(shown, error)
        end = len(cells)
        while end and cells[end - 1] is None:
            end -= 1
        blank = 0 if end else blank + 1
        yield number, cells[:end]


def _refuse(shown: str, error: Exception) -> NoReturn:
    raise Trouble(
        "invalid",
        f"{shown} 已损坏，打不开：请用 Excel 或 WPS 打开后另存为 .xlsx / "
        f"{shown} is damaged: open it in a spreadsheet program and save it again as .xlsx",
    ) from error


def _check_package(path: Path, shown: str) -> Any:
    """Refuse what is no XLSX or would not fit; returns a reader of a sheet's merged blocks."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise Trouble("invalid", f"读不了文件 {shown} / Cannot read {shown}: {error}") from error
    if size == 0:
        raise Trouble("invalid", f"{shown} 是空文件 / {shown} is empty")
    if size > MAX_FILE:
        _too_large(shown, f"{MAX_FILE // 2**20} MB")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise Trouble(
            "invalid",
            f"{shown} 是旧版 .xls 或加了密码的文件：请去掉密码，另存为 .xlsx / "
            f"{shown} is an old .xls or has a password: save it as .xlsx without one",
        )
    try:
        with zipfile.ZipFile(path) as package:
            parts = {part.filename: part for part in package.infolist()}
            if len(parts) > MAX_PARTS:
                _too_large(shown, f"{MAX_PARTS} parts")
            _check_sizes(list(parts.values()), shown)
            if "[Content_Types].xml" not in parts or not any(n.startswith("xl/") for n in parts):
                raise zipfile.BadZipFile("no workbook inside")
            for name in parts:
                if name.endswith((".xml", ".rels")):
                    _check_no_doctype(package, name, shown)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Trouble(
            "invalid",
            f"{shown} 不是 XLSX 文件（可能是改了扩展名的其他文件）/ "
            f"{shown} is not an XLSX file (perhaps another kind of file, renamed)",
        ) from error
    return lambda part: _merges(path, part) if part in parts else []


def _check_sizes(parts: list[zipfile.ZipInfo], shown: str) -> None:
    """The sizes a package states bind its reader, so that a bomb is known before it goes off."""
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        _too_large(shown, f"{MAX_UNPACKED // 2**20} MB unpacked")
    for part in parts:
        ratio = part.file_size / max(1, part.compress_size)
        if part.file_size > RATIO_FROM and ratio > MAX_RATIO:
            _too_large(shown, f"{MAX_RATIO}:1")
        if part.filename.endswith("sharedStrings.xml") and part.file_size > MAX_STRINGS:
            _too_large(shown, f"{MAX_STRINGS // 2**20} MB of text")


def _too_large(shown: str, limit: str) -> NoReturn:
    raise Trouble(
        "too_large",
        f"{shown} 太大（上限 {limit}），请分成几个文件 / "
        f"{shown} is too large (limit {limit}): split it",
    )


def _check_no_doctype(package: zipfile.ZipFile, name: str, shown: str) -> None:
    """Read a part up to its first element, wherever that is: in front of it a DOCTYPE stands."""
    begun: list[str] = []

    def doctype(*_: object) -> None:
        raise Trouble(
            "invalid",
            f"{shown} 含有不允许的内容（DOCTYPE）/ {shown} declares XML entities, which no "
            "spreadsheet program writes",
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = lambda name, _: begun.append(name)
    with package.open(name) as part, suppress(expat.ExpatError):  # the reader says what is wrong
        while not begun and (block := part.read(4096)):
            parser.Parse(block)


def _merges(path: Path, part: str) -> list[Merge]:
    """The merged blocks of a sheet; they stand after its rows, so they are looked up first."""
    found: dict[Merge, None] = {}
    with zipfile.ZipFile(path) as package, package.open(part) as stream:
        rest = b""
        while chunk := stream.read(2**20):
            chunk = rest + chunk
            for match in _MERGE.finditer(chunk):
                first, top, last, bottom = match.groups()
                columns = [column_index_from_string(c.decode()) for c in (first, last)]
                found[Merge(int(top), int(bottom), columns[0], columns[1])] = None
            rest = chunk[-_MERGE_LENGTH:]
    return list(found)
