"""Masks: what stands in a list that anybody may look at over the worker's shoulder."""

from __future__ import annotations

import re

_DIGIT = re.compile(r"\d")


def mask_phone(phone: str | None) -> str:
    """``13812341234`` becomes ``138****1234``; a short number keeps its last two digits."""
    text = (phone or "").strip()
    digits = _DIGIT.findall(text)
    if len(digits) >= 8:
        return f"{''.join(digits[:3])}****{''.join(digits[-4:])}"
    return "*" * max(len(text) - 2, 0) + text[-2:] if digits else ""


def mask_name(name: str | None) -> str:
    """``张小三`` becomes ``张**``."""
    text = (name or "").strip()
    return text[:1] + "*" * (len(text) - 1)
