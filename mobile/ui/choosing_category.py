"""To the list of categories and back: groups, what each asks for, the ones used last on top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mobile.core.views import Category
from mobile.ui import category_words
from mobile.ui.screens.pick import Option
from mobile.ui.shell import Shell
from mobile.ui.words import label


def choose_category(
    shell: Shell,
    known: Sequence[Category],
    chosen: str,
    recent: str,
    then: Callable[[str], Any],
) -> None:
    """Open the list; ``recent`` is the setting category_words.RECENT."""
    names = {one.code: category_words.name(one) for one in known}
    parents = {one.parent for one in known if one.parent}
    options = [
        Option(
            one.code, names[one.code], names.get(one.parent, ""), category_words.line(one),
            "call" if one.call else "", "danger",
        )
        for one in known
        if one.code not in parents
    ]  # fmt: skip
    order = list(dict.fromkeys(option.group for option in options))
    options.sort(key=lambda option: order.index(option.group))
    shell.go(
        "pick",
        title=label("problem", "category"),
        options=options,
        chosen=chosen,
        then=then,
        recent=[one.code for one in category_words.recent(recent, known)],
    )
