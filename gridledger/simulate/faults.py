"""Each nemesis: a function that brings it about for one phone. True: it has happened."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import event, select

from gridledger.simulate.actors import Handset
from gridledger.simulate.oldphone import VERSIONS, OldPhone
from gridledger.simulate.plan import Act, Fault
from server.operations import accounts
from server.operations.transact import submit
from server.storage.database import db
from server.storage.models import Household
from server.storage.tables import Assignment
from shared import ids, protocol
from shared.operations import SET, Operation

if TYPE_CHECKING:
    from gridledger.simulate.run import Simulation

YEAR_MS = 365 * 24 * 3600 * 1000
NO_LIMIT = 2**30
STEPS = 260  # a phone is killed somewhere in so many
PATIENCE = 60.0  # seconds; a thread that takes longer is stuck


def lost_response(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """The server has done its work; the phone never hears of it."""
    return _on_line(sim, phone, fault, "lose_response", (protocol.PUSH, protocol.PULL))


def duplicated_request(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """A request arrives twice."""
    photos = any(act.photos for act in fault.acts)
    paths = (protocol.PUSH, protocol.PHOTOS) if photos else (protocol.PUSH,)
    return _on_line(sim, phone, fault, "duplicate", paths)


def reordered_requests(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """A push hangs in the network and arrives after the next one, which says more."""
    armed = phone.line.arm("hold", protocol.PUSH)
    sim.work(phone, fault.acts[:2])
    phone.sync()
    sim.work(phone, fault.acts[2:])
    phone.sync()
    return armed.fired.is_set()


def cut_request(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """The line breaks in the middle of what the phone says."""
    return _on_line(sim, phone, fault, "cut_request", (protocol.PUSH,))


def cut_response(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """The line breaks in the middle of what the server says."""
    return _on_line(sim, phone, fault, "cut_response", (protocol.PULL, protocol.PUSH))


def _on_line(
    sim: Simulation, phone: Handset, fault: Fault, kind: str, paths: tuple[str, ...]
) -> bool:
    armed = phone.line.arm(kind, paths[fault.pick % len(paths)])
    sim.work(phone, fault.acts)
    phone.sync()
    phone.sync()
    return armed.fired.is_set()


def server_killed(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """The process that takes a push dies with everything written and nothing committed."""
    trap = sim.server.kill_at_commit()
    sim.work(phone, fault.acts)
    phone.sync()
    died = not trap.exists()
    trap.unlink(missing_ok=True)
    phone.sync()
    return died


def process_changed(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """Between two pieces of a photo every web process is replaced by another one."""
    armed = phone.line.arm("tell", protocol.PHOTOS, "PATCH", skip=1, before=sim.server.kill_workers)
    sim.work(phone, [Act("large", fault.acts[0].number, fault.pick)])
    for _ in range(3):
        phone.sync()
    return armed.fired.is_set()


def commit_delayed(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """A commit with its numbers taken waits; others push and pull past it; then it commits."""
    held, gate = threading.Event(), threading.Event()
    grids = phone.phone.me.grids if phone.phone.me else ()
    query = select(Household).where(
        Household.partition_id == ids.grid_partition(grids[0].code if grids else ""),
        Household.deleted_at.is_(None),
    )
    home = db.session.scalars(query.order_by(Household.id)).first()
    if home is None:
        return False
    where, number = (home.partition_id, home.seq, home.rev), fault.acts[-1].number
    edit = Operation(
        SET, "household", home.id, *where, fields={"note": (home.note, f"晚到 {number}")}
    )
    db.session.remove()

    def late() -> None:
        with sim.app.app_context():

            def wait(_session: object) -> None:
                held.set()
                gate.wait(PATIENCE)

            event.listen(db.session(), "before_commit", wait, once=True)
            submit(sim.district.supervisor, [edit])
            db.session.remove()

    other = sim.other_grid(phone)
    sim.work(phone, fault.acts[:2])
    sim.work(other, fault.acts[2:3])
    writer = threading.Thread(target=late)
    writer.start()
    held.wait(PATIENCE)
    arrived = [one.line.arm("tell", protocol.PUSH) for one in (phone, other)]
    syncs = [threading.Thread(target=one.sync) for one in (phone, other)]
    for sync in syncs:
        sync.start()
    if sim.several:  # another partition does not wait for this one: it overtakes
        syncs[1].join(PATIENCE)
    for armed in arrived:
        armed.fired.wait(PATIENCE / 10)
    gate.set()
    for thread in (*syncs, writer):
        thread.join(PATIENCE)
    phone.sync()
    return held.is_set()


def phone_killed(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """SIGKILL between any two steps of saving and syncing; then the app is started again."""
    phone.close()
    saved = sim.folder / f"{phone.name}.saved"
    command = [
        sys.executable, "-m", "gridledger.simulate.killed", str(phone.folder),
        str(20 + fault.pick % STEPS), str(phone.clock.offset), str(saved),
        json.dumps([asdict(act) for act in fault.acts]),
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if saved.exists():
        for line in saved.read_text(encoding="utf-8").splitlines():
            sim.record.add(*json.loads(line))
    phone.reopen()
    if done.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the killed phone ended by itself:\n{done.stderr[-2000:]}")
    phone.sync()
    return True


def disk_full(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """The phone's storage is full: what is refused is refused whole, and said."""
    writer = phone.phone._store._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")
    before = phone.refused
    for act in fault.acts:
        sim.work(phone, [act])
    number = fault.acts[1].number
    for n in range(60):
        if phone.refused > before or not phone.fill(f"走访 {number}.{n} ", fault.pick):
            break
    report = phone.sync()
    writer.execute(f"PRAGMA max_page_count = {NO_LIMIT}")
    full = any(trouble.code == "disk_full" for trouble in report.troubles)
    phone.sync()
    return full or phone.refused > before


def clock_jumped(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """The phone's clock is a year ahead, or a year back."""
    phone.clock.offset += YEAR_MS if fault.pick % 2 else -YEAR_MS
    sim.work(phone, fault.acts)
    phone.sync()
    return True


def device_cloned(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """The phone's data is copied to another phone, and both go on."""
    phone.close()
    name = f"{phone.name}-clone{len(sim.fleet)}"
    folder = sim.folder / "phones" / name
    shutil.copytree(phone.folder, folder)
    phone.reopen()
    clone = sim.add(name, folder, phone.user_id)
    sim.work(phone, fault.acts[:2])
    sim.work(clone, fault.acts[2:])
    for one in (clone, phone, clone):
        one.sync()
    return True


def reassigned(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """While the phone is offline with work on it, its worker gets another grid."""
    sim.work(phone, fault.acts)
    query = select(Assignment.grid_code).where(
        Assignment.user_id == phone.user_id, Assignment.to_at.is_(None)
    )
    mine = sorted(set(db.session.scalars(query)))
    others = [code for code in sim.district.grids if code not in mine]
    if not mine or not others:
        return False
    accounts.unassign(phone.user_id, mine[0])
    accounts.assign(phone.user_id, others[fault.pick % len(others)])
    db.session.remove()
    phone.sync()
    phone.sync()
    return True


def token_revoked(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """Revoked while offline: what it holds goes into quarantine; then it is enrolled again."""
    sim.work(phone, fault.acts)
    accounts.revoke_device(phone.device_id)
    db.session.remove()
    phone.sync()
    phone.sync()
    phone.take()
    phone.enrol(sim.code(phone.user_id))
    phone.sync()
    return True


def two_phones(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """A second phone of the same worker changes the same doors, offline too."""
    second = sim.second_phone(phone)
    sim.work(phone, fault.acts[:1])
    sim.work(second, [*fault.acts[2:], Act("edit", fault.acts[1].number, fault.acts[0].pick)])
    for one in (second, phone, second):
        one.sync()
    return True


def old_schema(sim: Simulation, phone: Handset, fault: Fault) -> bool:
    """A phone of another version pushes what it has; it may not pull, but it may hand in."""
    query = select(Household.id, Household.partition_id).order_by(Household.id)
    homes = list(db.session.execute(query))
    home = homes[fault.pick % len(homes)]
    grids = select(Assignment.grid_code).where(
        Assignment.user_id == phone.user_id, Assignment.to_at.is_(None)
    )
    mine = {ids.grid_partition(code) for code in db.session.scalars(grids)}
    home = next((one for one in homes if one.partition_id in mine), home)
    db.session.remove()
    old = OldPhone(phone.line.url, phone.user_id, sim.record)
    old.enrol(sim.code(phone.user_id))
    old.save(home.partition_id, home.id, [act.number for act in fault.acts[:2]])
    sim.old.append(old)
    return old.push(VERSIONS[fault.pick % len(VERSIONS)])


NEMESES: dict[str, Callable[[Simulation, Handset, Fault], bool]] = {
    one.__name__: one
    for one in (
        lost_response, duplicated_request, reordered_requests, cut_request, cut_response,
        server_killed, process_changed, commit_delayed, phone_killed, disk_full, clock_jumped,
        device_cloned, reassigned, token_revoked, two_phones, old_schema,
    )
}  # fmt: skip
