"""Pure: names and telephone numbers as lists and exports show them, the same on both sides."""

from __future__ import annotations

import re

HIDDEN = "***"


def mask_name(name: str | None) -> str:
    """``张小三`` becomes ``张*``, however long it is."""
    text = (name or "").strip()
    return f"{text[0]}*" if text else ""


def mask_phone(phone: str | None) -> str:
    """``13812341234`` becomes ``138****1234``; a short number is hidden whole."""
    text = (phone or "").strip()
    if not text:
        return ""
    digits = re.sub(r"\D", "", text)
    if len(digits) > 11 and len(digits) % 11 == 0:  # two numbers in one field
        parts = [digits[at : at + 11] for at in range(0, len(digits), 11)]
        return "/".join(mask_phone(part) for part in parts)
    if digits.startswith("86") and len(digits) == 13:
        digits = digits[2:]
    if len(digits) < 7:
        return HIDDEN
    if len(digits) < 10:
        return f"****{digits[-4:]}"
    return f"{digits[:3]}****{digits[-4:]}"
