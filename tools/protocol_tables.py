"""Write the tables of docs/protocol.md from the code: python tools/protocol_tables.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from shared import ledger, protocol, records  # noqa: E402

PAGE = ROOT / "docs" / "protocol.md"


def fields() -> str:
    """One table a kind: field, type, rule, what it is."""
    parts = []
    for kind in records.KINDS.values():
        parts.append(f"**{kind.name}** {kind.zh}, in a partition of sort `{kind.home}`\n")
        parts.append("| field | type | rule | |\n|---|---|---|---|")
        for f in kind.fields:
            kind_of = f.type + (": " + ", ".join(c.code for c in f.choices) if f.choices else "")
            need = ", required" if f.required else ""
            parts.append(f"| {f.name} | {kind_of} | {f.rule}{need} | {f.zh} |")
        parts.append("")
    return "\n".join(parts)


def actions() -> str:
    """The ledger's table: what an action does, who may take it, what its data hold."""
    parts = ["| action | | from | to | who | data |", "|---|---|---|---|---|---|"]
    for one in ledger.ACTIONS.values():
        all_open = one.sources == ledger.OPEN_STATES
        sources = "any open" if all_open else ", ".join(one.sources)
        data = [*one.needs, *(f"{name}?" for name in one.takes)]
        parts.append(
            f"| {one.name} | {one.zh} | {sources} | {one.target or ''} | {', '.join(one.roles)}"
            f" | {', '.join(data)} |"
        )
    return "\n".join(parts) + "\n"


def codes() -> str:
    """Two tables: codes of requests, codes of transactions."""
    parts = ["| code of a request | status | retry | |", "|---|---|---|---|"]
    for code, known in protocol.REQUEST_CODES.items():
        parts.append(f"| {code} | {known.status} | {'yes' if known.retry else 'no'} | {known.en} |")
    parts += ["", "| code of a transaction | |", "|---|---|"]
    for code, known in protocol.TRANSACTION_CODES.items():
        parts.append(f"| {code} | {known.en} |")
    return "\n".join(parts) + "\n"


def filled(text: str) -> str:
    """The page with its tables as the code has them now."""
    for name, table in (("fields", fields()), ("actions", actions()), ("codes", codes())):
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        head, rest = text.split(begin)
        _, tail = rest.split(end)
        text = f"{head}{begin}\n{table}{end}{tail}"
    return text


if __name__ == "__main__":
    now = PAGE.read_text()
    if "--check" in sys.argv:
        sys.exit(now != filled(now))
    PAGE.write_text(filled(now))
