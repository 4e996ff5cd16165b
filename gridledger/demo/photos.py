"""Photo records over a small pool of pictures: the same picture may be declared by many. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gridledger.demo.dice import dice
from shared.operations import CREATE, Operation


@dataclass(frozen=True)
class Picture:
    """A JPEG as a phone would send it: stripped, upright, at most 2048 px."""

    sha256: str
    width: int
    height: int
    data: bytes = field(repr=False)


class PhotoRecords:
    """Makes the photo records of a record; without pictures it makes none."""

    def __init__(self, seed: int, pictures: Sequence[Picture]) -> None:
        self._seed, self._pictures = seed, pictures

    def of(
        self, kind: str, record_id: str, partition: str, phase: str, at: int, most: int = 2
    ) -> list[Operation]:
        """One photo or a few of one record and phase, taken at that time."""
        rolls = dice(self._seed, "photo", record_id, phase, at)
        count = min(rolls.randint(1, most), len(self._pictures))
        return [
            Operation(
                CREATE,
                "photo",
                rolls.new_id(at),
                partition,
                values={
                    "owner_kind": kind,
                    "owner_id": record_id,
                    "sha256": picture.sha256,
                    "size": len(picture.data),
                    "width": picture.width,
                    "height": picture.height,
                    "mime": "image/jpeg",
                    "phase": phase,
                    "taken_at": at - rolls.randrange(1_000, 90_000),
                },
            )
            for picture in rolls.sample(self._pictures, count)
        ]
