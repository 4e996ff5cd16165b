"""A phone that has been away, and an export that is ready: what the pages of waiting things show.

The phone of the second worker was heard four days ago for the last time. What it sent then came by
the road of every phone (`server.operations.push`): a visit whose two photos are still on it, and a
visit in a grid that was handed over long before, which is held until a supervisor decides.
"""

from __future__ import annotations

import hashlib

from gridledger.demo.dice import DAY, HOUR, Dice, dice
from gridledger.demo.visits import Beat
from server.core.access import Viewer
from server.operations import accounts, export_jobs, push
from server.operations.enrol import new_device
from server.storage.database import db, write
from server.storage.queries.problems import OPEN, ProblemFilter
from server.storage.settings import epoch
from server.storage.tables import User
from shared import protocol
from shared.operations import CREATE, Operation, Transaction

NAME = "{name}的旧手机"
HEARD = 4 * DAY  # ago; three days are too long for a photo
HANDED_OVER = 15 * DAY
GIVEN = 80 * DAY
PHOTOS = 2
VISITED = "老人在家，血压药还剩三天的量，已托楼下药店送来。厨房燃气软管老化，拍照留底。"
NEIGHBOUR = "替第三网格代走一户：住户反映单元门关不严，已记下。手机没有网络，回来才传。"


def play(beat: Beat, neighbour: Beat) -> None:
    """The worker of ``beat`` once walked the grid of ``neighbour`` too, on this phone."""
    today = beat.plan.today
    heard = today - HEARD + 18 * HOUR
    grid = neighbour.grid.code
    accounts.assign(beat.worker, grid, now=today - GIVEN)
    knew = accounts.unassign(beat.worker, grid, now=today - HANDED_OVER).to_rev
    rolls = dice(beat.plan.seed, "away")
    with write() as session:
        owner = session.get_one(User, beat.worker)
        name = NAME.format(name=owner.name)
        device = new_device(owner.id, name, rolls.randbytes(32).hex(), "", today - GIVEN)
        session.add(device)
        known = (epoch(session), (knew or 1) - 1)
    photos = [_photo(rolls, n) for n in range(PHOTOS)]
    visits: tuple[tuple[Beat, int, str, list[dict[str, str | int]]], ...] = (
        (neighbour, today - HANDED_OVER + 10 * HOUR, NEIGHBOUR, []),
        (beat, heard - 2 * HOUR, VISITED, photos),
    )
    lines = []
    for number, (where, at, note, taken) in enumerate(visits, 1):
        operations = _visit(rolls, where, at, note, taken)
        made = Transaction(
            rolls.new_id(at), owner.id, at, at % DAY, "demo", known, operations, ""
        )  # fmt: skip
        lines.append([number, made.id, made.to_text()])
    size = sum(int(one["size"]) for one in photos)
    header = {
        "v": protocol.VERSION,
        "epoch": known[0],
        "clock": {"wall": heard, "mono": heard % DAY, "boot": "demo"},
        "waiting": {"transactions": 0, "photos": PHOTOS, "bytes": size},
    }
    push.push(device.id, header, push.lines_of(lines), now=heard)


def export(supervisor: str) -> None:
    """The open problems as Excel, asked for and made as beside the pages."""
    user = db.session.get_one(User, supervisor)
    viewer = Viewer(user.id, user.role, user.area_code)
    chosen = ProblemFilter(state=OPEN, area=viewer.area_code)
    export_jobs.ask("ledger", viewer, viewer.area_code, "xlsx", chosen)
    export_jobs.run_waiting()


def _visit(
    rolls: Dice, beat: Beat, at: int, note: str, photos: list[dict[str, str | int]]
) -> tuple[Operation, ...]:
    home = next((one for one in beat.households if one.values["state"] != "empty"), None)
    target = (
        {"target_kind": "household", "target_id": home.id,
         "target_name": home.values["contact_name"]}
        if home
        else {"target_kind": "compound", "target_id": beat.compounds[0].id,
              "target_name": beat.compounds[0].values["name"]}
    )  # fmt: skip
    values = {
        **target, "visited_at": at, "reason": "care", "outcome": "met", "note": note,
        "appeal": None, "concern_tags": [], "early_sign": None, "resolved_on_spot": False,
    }  # fmt: skip
    visit = Operation(CREATE, "visit", rolls.new_id(at), beat.grid.partition, values=values)
    owner = {"owner_kind": "visit", "owner_id": visit.id, "phase": "scene", "taken_at": at}
    return (
        visit,
        *(
            Operation(
                CREATE, "photo", rolls.new_id(at), beat.grid.partition, values={**owner, **photo}
            )
            for photo in photos
        ),
    )


def _photo(rolls: Dice, number: int) -> dict[str, str | int]:
    """What a phone says of a photo whose bytes it still holds."""
    return {
        "sha256": hashlib.sha256(rolls.randbytes(32)).hexdigest(),
        "size": 612_000 + number * 48_500, "width": 1536, "height": 2048, "mime": "image/jpeg",
    }  # fmt: skip
