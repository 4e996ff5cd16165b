"""What a benchmark says: one line for a person, one JSON object for a program."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Result:
    """One measurement: ``value`` and ``floor`` in ``unit`` (more is better), and their ratio.

    ``peak_rss_mb`` is the most memory that one process of what was measured held: a server's
    worker, or the phone.
    """

    name: str
    database: str
    value: float
    unit: str
    floor: float
    peak_rss_mb: float

    def as_json(self) -> str:
        """One line."""
        fields: dict[str, Any] = asdict(self)
        fields["value"], fields["floor"] = round(self.value, 2), round(self.floor, 2)
        fields["ratio"] = round(self.value / self.floor, 3)
        fields["peak_rss_mb"] = round(self.peak_rss_mb, 1)
        return json.dumps(fields)

    def as_text(self) -> str:
        """One line."""
        return (
            f"{self.name:12} {self.database:10} {self.value:>10,.0f} of {self.floor:>10,.0f}"
            f" {self.unit:28} ratio {self.value / self.floor:.3f}"
            f"   peak {self.peak_rss_mb:.0f} MB"
        )


def tell(text: str) -> None:
    """Progress, on stderr."""
    print(f"  {text}", file=sys.stderr, flush=True)


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best(runs: int, value: Callable[[], float], floor: Callable[[], float]) -> tuple[float, float]:
    """The best rate of both, run in turns, so that a noisy neighbour meets both."""
    values, floors = [], []
    for _ in range(runs):
        floors.append(floor())
        values.append(value())
    return max(values), max(floors)


@contextmanager
def peak_rss(*pids: int) -> Iterator[Callable[[], float]]:
    """How much memory each of these processes came to hold since here: the largest, in MB."""
    for pid in pids:
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak so far
    yield lambda: max(_peak(pid) for pid in pids)


def _peak(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
