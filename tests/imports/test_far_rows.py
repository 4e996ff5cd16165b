"""A cell far below the list, left there by a slip, costs little and keeps its row number."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from openpyxl import Workbook

from server.operations import roster_file


def test_of_a_long_gap_the_rest_is_passed_over(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["a"])
    out = io.BytesIO()
    book.save(out)
    path = tmp_path / "far.xlsx"
    far = b'<row r="50000"><c r="B50000"><v>0</v></c></row><row r="50001"><c r="A50001"><v>7</v>'
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b"</sheetData>", far + b"</c></row></sheetData>")
            new.writestr(name, data)
    rows = [row for sheet in roster_file.sheets(path) for row in sheet.rows]
    assert rows[0] == (1, ("a",))
    assert rows[-2] == (50000, (None, 0))
    assert rows[-1] == (50001, (7,))
    assert len(rows) < 2 * roster_file.MAX_BLANK
