"""What a category asks for and promises, in words; and the ones this phone used last."""

from __future__ import annotations

from collections.abc import Iterable

from mobile.core.views import Category
from mobile.ui.words import pick, tr, word
from shared import categories
from shared import vocabulary as v

RECENT = "recent_categories"  # the setting: codes, the last used first
MOST_RECENT = 5


def limit(one: Category) -> str:
    """How long settling may take."""
    amount, unit = categories.limit(one.data, "handle")
    return tr("{n}{unit}内办好", n=f"{amount:g}", unit=word(v.LIMIT_UNITS, unit).lower())


def evidence(one: Category) -> str:
    """The photos that are asked for, "" where none is."""
    asked = [tr("现在的样子")] if one.needs_before else []
    asked += [tr("办好后的样子")] if one.needs_after else []
    return tr("要拍照：{what}", what=tr("、").join(asked)) if asked else ""


def facts(one: Category) -> str:
    """Who settles it, how soon, and which photos it takes."""
    who = tr("通常由{body}办", body=one.body) if one.body else ""
    return "\n".join(filter(None, (tr("，").join(filter(None, (who, limit(one)))), evidence(one))))


def line(one: Category) -> str:
    """The same in a list: what differs from one to the next."""
    return " · ".join(filter(None, (limit(one), tr("先拍照") if one.needs_before else "")))


def name(one: Category) -> str:
    """A category's name."""
    return pick(one.name, one.name_en)


def recent(setting: str, known: Iterable[Category]) -> list[Category]:
    """The categories that were used last, as the setting was kept; what is gone is left out."""
    by_code = {one.code: one for one in known}
    return [by_code[code] for code in setting.split(",") if code in by_code][:MOST_RECENT]


def used(setting: str, code: str) -> str:
    """The setting after one more use."""
    rest = [one for one in setting.split(",") if one and one != code]
    return ",".join([code, *rest][:MOST_RECENT])
