"""The plan of a run: what each phone does and what goes wrong, all drawn from one seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# name -> what happens, in Chinese and English. The order is that of the report.
FAULTS: dict[str, tuple[str, str]] = {
    "lost_response": ("回答丢失", "the server did it, its answer was lost"),
    "duplicated_request": ("请求重复", "a request arrived twice"),
    "reordered_requests": ("请求乱序", "an old request arrived after a newer one"),
    "cut_request": ("上传中断", "cut in the middle of a request's body"),
    "cut_response": ("下载中断", "cut in the middle of an answer's body"),
    "server_killed": ("服务器进程被杀", "a server process was killed inside a transaction"),
    "process_changed": ("分片之间换了进程", "another web process between two pieces of a photo"),
    "commit_delayed": ("提交被超车", "a commit was late and another overtook it"),
    "phone_killed": ("手机被杀", "the phone was killed between two steps"),
    "disk_full": ("手机存储已满", "the phone's storage was full"),
    "clock_jumped": ("手机时钟跳了一年", "the phone's clock jumped by a year"),
    "device_cloned": ("手机被克隆", "the phone's data was copied to another phone"),
    "reassigned": ("离线时换了网格", "the worker got another grid while offline"),
    "token_revoked": ("离线时被停用", "the phone was revoked while offline"),
    "restored": ("恢复了昨天的备份", "the database was restored from a backup"),
    "rewound": ("数据库被悄悄拷回", "the database was copied back and nobody said so"),
    "two_phones": ("一人两部手机", "two phones of one worker changed the same door"),
    "old_schema": ("旧版手机", "a phone of another version pushed"),
}
HEAVY = ("restored", "rewound")  # each stops the server: once, and again every four rounds
LATE = ("reassigned", "device_cloned")  # a later restore would heal what these may break
LEAST = 20  # faults of a run with all of them
ACTIONS = (
    "visit", "visit", "no_change", "edit", "edit", "edit", "groups", "count", "problem", "progress",
    "household",
)  # fmt: skip


@dataclass(frozen=True)
class Act:
    """One thing that a person does. ``number`` is its own in the run; ``pick`` chooses a record."""

    kind: str
    number: int
    pick: int
    photos: int = 0


@dataclass(frozen=True)
class Fault:
    """One nemesis: which, to which phone, and a number for what it needs to choose."""

    name: str
    phone: int
    pick: int
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Round:
    """What each phone does, then what goes wrong, then how many things the office decides."""

    acts: tuple[tuple[Act, ...], ...]
    faults: tuple[Fault, ...]
    office: int


@dataclass(frozen=True)
class Plan:
    """A whole run; equal for equal arguments of `make`."""

    seed: int
    phones: int
    rounds: tuple[Round, ...]

    def counts(self) -> dict[str, int]:
        """Fault -> how often it is planned."""
        found = dict.fromkeys(FAULTS, 0)
        for one in self.rounds:
            for fault in one.faults:
                found[fault.name] += 1
        return {name: count for name, count in found.items() if count}


class UnknownFault(ValueError):
    """A name that is not one of FAULTS."""


def chosen(text: str) -> tuple[str, ...]:
    """``all``, ``none``, or names with commas. Raises UnknownFault."""
    if text == "all":
        return tuple(FAULTS)
    if text == "none":
        return ()
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FAULTS:
            raise UnknownFault(name)
    return tuple(dict.fromkeys(names))


def make(phones: int, rounds: int, faults: Sequence[str], seed: int, photos: int) -> Plan:
    """The plan of a run; the same for the same arguments, whatever the machine does."""
    dice = random.Random(f"{seed}/{phones}/{rounds}/{photos}/{','.join(faults)}")
    numbers = iter(range(1, 10**9))

    def act(kind: str, with_photos: int = 0) -> Act:
        return Act(kind, next(numbers), dice.randrange(10**6), with_photos)

    def round_of_one() -> tuple[Act, ...]:
        """A visit with photos, then a few more things."""
        return (act("visit", photos), *(act(dice.choice(ACTIONS)) for _ in range(4)))

    placed = _placed(phones, rounds, faults, dice)
    return Plan(
        seed,
        phones,
        tuple(
            Round(
                tuple(round_of_one() for _ in range(phones)),
                tuple(
                    Fault(
                        name,
                        dice.randrange(phones),
                        dice.randrange(10**6),
                        (act("edit"), act("visit", min(photos, 1)), act("edit"), act("groups")),
                    )
                    for name in names
                ),
                dice.randint(2, 4),
            )
            for names in placed
        ),
    )


def _placed(
    phones: int, rounds: int, faults: Sequence[str], dice: random.Random
) -> list[list[str]]:
    """Which faults in which round: the light ones anywhere, the heavy ones at a round's end."""
    late = [name for name in LATE if name in faults]
    light = [name for name in faults if name not in (*HEAVY, *LATE)]
    heavy = [name for name in faults if name in HEAVY for _ in range(1 + (rounds - 1) // 4)]
    often = max(1, phones * rounds // 60)
    wanted = light * often + late * (often - 1)
    least = max(LEAST if len(faults) == len(FAULTS) else 0, len(faults))
    while light and len(wanted) + len(heavy) + len(late) < least:
        wanted.append(dice.choice(light[:5]))  # those that happen most, and cost least
    dice.shuffle(wanted)
    dice.shuffle(heavy)
    placed: list[list[str]] = [[] for _ in range(rounds)]
    for index, name in enumerate(wanted):
        placed[index % rounds].append(name)
    for index, name in enumerate(heavy):
        placed[(rounds - 1 - index) % rounds].append(name)
    placed[-1] += late
    return placed
