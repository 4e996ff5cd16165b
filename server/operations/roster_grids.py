"""Which grid a roster's 网格 column means: by its code, its name, or community and name."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.core.roster_cells import place_key
from server.errors import Trouble
from server.storage.models import Area
from server.storage.queries.paging import in_area
from shared import ids


class Grids:
    """The grids of an area, to be found by what people call them."""

    def __init__(self, area_code: str, names: dict[str, str]) -> None:
        """``names``: code -> name, of the area's grids and of the communities above them."""
        self.area_code = area_code
        self.only = area_code if len(area_code) == ids.GRID_DIGITS else ""
        self.known: dict[str, set[str]] = {}
        for code, name in names.items():
            if len(code) != ids.GRID_DIGITS:
                continue
            community = names.get(code[: ids.COMMUNITY_DIGITS], "")
            for word in (code, name, community + name):
                self.known.setdefault(_key(word), set()).add(code)

    @classmethod
    def within(cls, session: Session, area_code: str) -> Grids:
        """The grids of an area. Raises Trouble "invalid" for an area that does not exist."""
        query = select(Area.code, Area.name).where(Area.deleted_at.is_(None))
        below = query.where(in_area(Area.code, area_code))
        names = {code: name for code, name in session.execute(below)}
        if not names or (area_code != ids.ROOT_AREA and area_code not in names):
            raise Trouble(
                "invalid",
                f"没有区划代码 {area_code} / There is no area {area_code}",
                {"area": [f"没有区划代码 {area_code} / There is no area {area_code}"]},
            )
        above = query.where(Area.code == area_code[: ids.COMMUNITY_DIGITS])
        names |= {code: name for code, name in session.execute(above)}
        return cls(area_code, names)

    def find(self, text: str) -> tuple[str, str, str]:
        """(grid code, "", "") or ("", why in Chinese, why in English)."""
        if not text:
            if self.only:
                return self.only, "", ""
            return (
                "",
                "没有写网格；请加“网格”一列，或用 --area 指定一个网格的代码",
                "No grid is named: add a column 网格, or give a grid's code as the area",
            )
        found = self.known.get(_key(text), set())
        if len(found) == 1:
            return next(iter(found)), "", ""
        if found:
            codes = "、".join(sorted(found))
            return (
                "",
                f"网格“{text}”不止一个（{codes}），请填代码",
                f"Several grids are named “{text}” ({codes}): give the code",
            )
        return (
            "",
            f"{'本区域' if self.area_code == ids.ROOT_AREA else self.area_code} 里没有网格“{text}”",
            f"There is no grid “{text}” within {self.area_code}",
        )


def _key(text: str) -> str:
    return place_key(text).replace("第", "")
