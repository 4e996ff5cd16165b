"""What can go wrong on the phone, as a tree:

PhoneError
 ├─ EnrolFailed      the device could not be enrolled
 ├─ DraftInvalid     a draft lacks something; ``errors`` names the fields
 ├─ SaveFailed       nothing was saved: disk full, database locked, too large, not enrolled
 ├─ PhotoInvalid     the picture cannot be read
 └─ UnknownRecord    no such record on this phone

Each carries a text for a person in Chinese and in English, and a stable ``code``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class PhoneError(Exception):
    """The root: ``code``, ``message_zh``, ``message_en``."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        super().__init__(f"{message_zh} / {message_en}")
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en


class EnrolFailed(PhoneError):
    """Enrolment failed; the code is one of `shared.protocol.REQUEST_CODES`, or
    ``link_invalid``, ``server_needed``, ``offline``, ``other_user``, ``answer_invalid``."""


class SaveFailed(PhoneError):
    """Nothing was saved, nothing is half-written: ``disk_full``, ``locked``, ``too_large``,
    ``not_enrolled``, ``not_possible``, ``storage``."""


class PhotoInvalid(PhoneError):
    """The picture is broken, too large, or of a kind this phone cannot read."""


class UnknownRecord(PhoneError):
    """The record is not on this phone (any more)."""

    def __init__(self, record_id: str) -> None:
        super().__init__("not_found", "手机上没有这条记录", "This record is not on the phone")
        self.record_id = record_id


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field, for a person."""

    zh: str
    en: str


class DraftInvalid(PhoneError):
    """A draft cannot be saved yet; ``errors``: field name -> FieldError."""

    def __init__(self, errors: Mapping[str, FieldError]) -> None:
        zh = "；".join(error.zh for error in errors.values())
        en = "; ".join(error.en for error in errors.values())
        super().__init__("invalid", zh, en)
        self.errors = dict(errors)
