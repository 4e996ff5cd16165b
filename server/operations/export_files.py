"""The three formats of an export, each written row by row: XLSX, CSV, GeoJSON."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import xlsxwriter

from server.core.export_columns import Cell, Column, guarded, plain_text

SHEET_ROWS = 1_048_576  # what a sheet holds; what is more goes on the next one
CELL_TEXT = 32_767
LINE_HEIGHT, MAX_HEIGHT = 17, 409  # points; a sheet's row is no higher
A4, MARGIN = 9, 0.4  # the paper's number in a sheet; inches
LINE = "#8A9A9E"
_CSV_TIME = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class Heading:
    """What stands above and below the rows. ``watermark`` is "" for a masked export."""

    title: str
    sheet: str
    columns: Sequence[Column]
    watermark: str = ""


class Writer(Protocol):
    """One export under way."""

    def add(self, cells: Sequence[Cell], position: Mapping[str, float] | None) -> None:
        """Write one row, in the order of the columns; ``position`` is WGS-84 or None."""

    def finish(self) -> None:
        """Write what comes last. The file object stays open."""


class Xlsx:
    """A sheet with a title row, a frozen header, filters and real dates.

    It prints as it is: A4 across, all columns on the page's width, the headings and the page's
    number on every page. Columns have fixed widths and long texts wrap, so that the print stays
    readable; each row is as high as its text, for programs that do not see to that themselves.
    """

    def __init__(self, file: BinaryIO, heading: Heading, sheet_rows: int = SHEET_ROWS) -> None:
        self.heading, self.sheet_rows = heading, sheet_rows
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self.book = xlsxwriter.Workbook(file, options)
        self.title = self.book.add_format({"bold": True, "font_size": 14, "valign": "vcenter"})
        self.head = self.book.add_format(
            {"bold": True, "bg_color": "#E7EEF0", "border": 1, "border_color": LINE,
             "valign": "vcenter", "align": "center", "text_wrap": True}
        )  # fmt: skip
        lined = {"text_wrap": True, "valign": "top", "border": 1, "border_color": LINE}
        self.time = self.book.add_format({**lined, "num_format": "yyyy-mm-dd hh:mm"})
        self.text = self.book.add_format(lined)
        self.sheets = 0
        self._next_sheet()

    def _next_sheet(self) -> None:
        self.sheets += 1
        name = self.heading.sheet if self.sheets == 1 else f"{self.heading.sheet} {self.sheets}"
        self.sheet: Any = self.book.add_worksheet(name)
        last = len(self.heading.columns) - 1
        title = self.heading.title
        left = ""
        if self.heading.watermark:
            title = f"{title}　{self.heading.watermark}"
            mark = self.heading.watermark.replace("&", "&&")[:200]
            left = f"&L&8{mark}"
            self.sheet.set_header(f'&C&"Arial"&8{mark}')
        self.sheet.set_footer(f"{left}&R&8&P / &N")
        self.sheet.set_row(0, 24)
        self.sheet.merge_range(0, 0, 0, last, "", self.title)
        self.sheet.write_string(0, 0, plain_text(title), self.title)
        for index, column in enumerate(self.heading.columns):
            self.sheet.write_string(1, index, column.heading, self.head)
        self.sheet.freeze_panes(2, 0)
        self.sheet.set_row(1, 36)
        self.sheet.repeat_rows(0, 1)
        self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.set_margins(MARGIN, MARGIN, 0.6, 0.6)
        self.sheet.center_horizontally()
        self.sheet.fit_to_pages(1, 0)
        self.row = 2

    def add(self, cells: Sequence[Cell], position: Mapping[str, float] | None) -> None:
        if self.row >= self.sheet_rows:
            self._close_sheet()
            self._next_sheet()
        pairs = zip(cells, self.heading.columns, strict=True)
        texts = [_lines(cell, column.width) for cell, column in pairs if isinstance(cell, str)]
        lines = max(texts, default=1)
        self.sheet.set_row(self.row, min(lines * LINE_HEIGHT, MAX_HEIGHT))
        for index, cell in enumerate(cells):
            if cell is None or cell == "":
                self.sheet.write_blank(self.row, index, None, self.text)
            elif isinstance(cell, datetime.datetime):
                self.sheet.write_datetime(self.row, index, cell.replace(tzinfo=None), self.time)
            elif isinstance(cell, int):
                self.sheet.write_number(self.row, index, cell, self.text)
            else:
                self.sheet.write_string(self.row, index, plain_text(cell)[:CELL_TEXT], self.text)
        self.row += 1

    def _close_sheet(self) -> None:
        for index, column in enumerate(self.heading.columns):
            self.sheet.set_column(index, index, column.width)
        self.sheet.autofilter(1, 0, max(1, self.row - 1), len(self.heading.columns) - 1)

    def finish(self) -> None:
        self._close_sheet()
        self.book.close()


class Csv:
    """UTF-8 with a BOM, so that Excel reads the Chinese; the watermark is the last line."""

    def __init__(self, file: BinaryIO, heading: Heading) -> None:
        self.heading = heading
        self.text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
        self.writer = csv.writer(self.text)
        self.writer.writerow([column.heading for column in heading.columns])

    def add(self, cells: Sequence[Cell], position: Mapping[str, float] | None) -> None:
        self.writer.writerow([_csv_cell(cell) for cell in cells])

    def finish(self) -> None:
        if self.heading.watermark:
            self.writer.writerow([guarded(plain_text(self.heading.watermark))])
        self.text.flush()
        self.text.detach()


class GeoJson:
    """One feature a line (RFC 7946); a record without a position has a null geometry."""

    def __init__(self, file: BinaryIO, heading: Heading) -> None:
        self.file, self.heading = file, heading
        self.names = [column.heading for column in heading.columns]
        self.first = True
        start: dict[str, Any] = {"type": "FeatureCollection", "name": heading.title}
        if heading.watermark:
            start["watermark"] = heading.watermark
        head = json.dumps(start, ensure_ascii=False)
        file.write(f'{head[:-1]}, "features": ['.encode())

    def add(self, cells: Sequence[Cell], position: Mapping[str, float] | None) -> None:
        geometry = None
        if position:
            geometry = {"type": "Point", "coordinates": [position["lng"], position["lat"]]}
        shown = [c.isoformat() if isinstance(c, datetime.datetime) else c for c in cells]
        feature = {
            "type": "Feature",
            "geometry": geometry,
            "properties": dict(zip(self.names, shown, strict=True)),
        }
        text = json.dumps(feature, ensure_ascii=False)
        self.file.write(("\n" if self.first else ",\n").encode() + text.encode())
        self.first = False

    def finish(self) -> None:
        self.file.write(b"\n]}\n")


def _csv_cell(cell: Cell) -> Any:
    if isinstance(cell, datetime.datetime):
        return cell.strftime(_CSV_TIME)
    return guarded(plain_text(cell)) if isinstance(cell, str) else cell


def _lines(text: str, width: int) -> int:
    """Lines that a text takes in a column; a Chinese character is two wide."""
    if len(text) * 2 < width and "\n" not in text:
        return 1
    most = MAX_HEIGHT // LINE_HEIGHT
    sizes = [len(line[: most * width].encode("gb18030", "replace")) for line in text.split("\n")]
    return min(most, sum(max(1, -(-size // (width - 1))) for size in sizes))
