"""Pictures of every page, at the size of a desk and of a phone.

`take` needs a running server and its accounts, as `gridledger demo --json` prints them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import Browser, Page

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
CODE = "form[action$='/code'] button"
# role -> name of the picture -> where to go: "list > /visits/" is the first row's link there,
# "> /edit" the page's link that ends so.
PLACES: dict[str, dict[str, str]] = {
    "supervisor": {
        "home": "/", "visits": "/visits", "visit": "/visits > /visits/", "ledger": "/ledger",
        "problem": "/ledger?state=closure_requested > /ledger/", "ledger_all": "/ledger?state=all",
        "problem_new": "/ledger?state=registered > /ledger/",
        "conflicts": "/conflicts", "conflict": "/conflicts > /conflicts/",
        "quarantine": "/quarantine", "quarantined": "/quarantine > /quarantine/",
        "homes": "/homes", "household": "/homes > /homes/", "offers": "/offers",
        "offer": "/offers > /offers/", "phones": "/phones",
        "overdue_photos": "/photos/overdue?days=0",
        "overdue_sums": "/photos/overdue?days=0&by=phone",
        "rates": "/rates?period=year&by=body&rate=response&why=not_dispatched",
        "recurrences": "/recurrences",
        "not_found": "/visits/none", "empty": "/ledger?q=没有这样的问题",
    },
    "admin": {
        "people": "/people", "grids": "/people/grids", "admin_phones": "/phones",
        "new_account": "/people/new", "edit_account": "/people?role=grid_worker > /people/ > /edit",
        "categories": "/categories", "category": "/categories > /edit",
        "import_ledger": "/import-ledger",
        "erase": "/homes > /homes/ > /erase",
        "person": "/people?role=grid_worker > /people/",
    },
    "handler": {
        "board": "/board", "handler_ledger": "/ledger", "handler_problem": "/board > /ledger/",
    },
    "auditor": {"audit": "/audit"},
    "grid_worker": {"worker": "/"},
}  # fmt: skip


def sign_in(page: Page, base: str, username: str, password: str) -> None:
    """Sign in as a person would."""
    page.goto(f"{base}/sign-in")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"/(audit|board)?$"))


def go(page: Page, base: str, place: str) -> bool:
    """Open a place; False where a page has no such link."""
    address, *patterns = place.split(" > ")
    page.goto(base + address)
    for pattern in patterns:
        wanted = (
            f'.main-link[href^="{pattern}"]' if pattern.endswith("/") else f'[href$="{pattern}"]'
        )
        links = page.locator(f"main a{wanted}")
        if links.count() == 0:
            return False
        links.first.click()
        page.wait_for_load_state()
    return True


def take(
    browser: Browser,
    base: str,
    accounts: Mapping[str, tuple[str, str]],
    folder: Path,
    language: str = "zh-CN",
    only: str = "",
    seen: Callable[[Page, str], None] | None = None,
) -> list[Path]:
    """Pictures of every page for the roles in ``accounts`` (role -> user name, password).

    ``only`` keeps the places whose name begins so; ``seen`` is shown each page before its picture.
    Returns the files, <size>-<name>.png.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for size, (width, height) in SIZES.items():
        for role, places in {"": {"sign_in": "/sign-in"}, **PLACES}.items():
            if role and role not in accounts:
                continue
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale=language
            )
            page = context.new_page()
            if role:
                sign_in(page, base, *accounts[role])
            for name, place in places.items():
                if not name.startswith(only) or not go(page, base, place):
                    continue
                page.wait_for_load_state()
                if name == "person" and page.locator(CODE).count():
                    made.append(_shot(page, folder / f"{size}-{name}.png"))
                    if seen is not None:
                        seen(page, f"{size} {name}")
                    page.locator(CODE).click()
                    page.wait_for_load_state()
                    name = "code"
                if name in ("problem", "problem_new"):
                    shut = page.locator("details.action.first:not([open]) > summary")
                    for summary in shut.all()[:1]:
                        summary.click()
                if seen is not None:
                    seen(page, f"{size} {name}")
                made.append(_shot(page, folder / f"{size}-{name}.png"))
            context.close()
    return made


# Pictures further down are fetched as one comes near; a picture of the whole page wants them all.
ALL_IMAGES = """() => Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => null);
}))"""


def _shot(page: Page, path: Path) -> Path:
    page.evaluate(ALL_IMAGES)
    page.screenshot(path=path, full_page=True)
    return path
