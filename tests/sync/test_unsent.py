"""The file of unsent work, from a real phone into a real server: everything once."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from gridledger.cli import main
from mobile.storage import meta, rescue
from mobile.storage.store import FILE
from mobile.storage.vault import DEVICE_KEY, FileKeeper
from mobile.sync.phone import DraftPhoto, Exported, Phone, SaveFailed
from server.errors import Trouble
from server.operations import import_unsent as imports
from server.operations import sealing
from server.operations.import_unsent import Report
from server.storage.database import db, write
from server.storage.tables import AuditEntry, Device, Feedback, Quarantined, Setting
from shared import unsent
from tests.sync.conftest import Place, network, picture
from tests.sync.test_faults import rows, save, visits_on_server
from tests.sync.test_rescue import pages_of, spoil
from tests.sync.test_revoked import revoke

ONE = pytest.mark.parametrize("database", ["sqlite"])  # nothing here differs between them
NOTE = "一句只该服务器看到的话"


def at_work(place: Place) -> tuple[Phone, Exported]:
    """A phone that sent one visit, could not send two more with photos, and made its file."""
    phone = place.phone()
    save(phone, place, "发过的")
    assert phone.sync().complete
    network(phone).down = True
    for number in (1, 2):
        save(phone, place, f"{NOTE}{number}", number,
             DraftPhoto(phone.prepare_photo(picture(side=90 + number))))  # fmt: skip
    phone.give_feedback("complaint", "基站坏了两周")
    return phone, phone.export_unsent()


def take_in(place: Place, file: Path, **how: object) -> Report:
    with place.app.app_context():
        return imports.import_unsent(file, **how)  # type: ignore[arg-type]


def counted(place: Place, model: type) -> int:
    with place.app.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_everything_arrives_once_and_the_phone_finds_it_arrived(place: Place) -> None:
    phone, made = at_work(place)
    assert (made.transactions, made.photos, made.missing) == (2, 2, 0)
    dry = take_in(place, made.file, dry_run=True)
    assert [(one.before, one.result) for one in dry.entries] == [(False, None)] * 2
    assert list(dry.photos.values()) == ["missing"] * 2 and visits_on_server(place) == 1
    assert counted(place, Feedback) == 0
    done = take_in(place, made.file)
    assert [(one.before, one.result) for one in done.entries] == [(False, "applied")] * 2
    assert list(done.photos.values()) == ["verified"] * 2 and not done.revoked
    again = take_in(place, made.file)
    assert [one.before for one in again.entries] == [True, True]
    assert (visits_on_server(place), counted(place, Feedback)) == (3, 1)
    devices = counted(place, Device)
    network(phone).down = False
    network(phone).seen.clear()
    save(phone, place, "之后写的", 3)
    report = phone.sync()
    assert report.complete and report.pushed == 3
    assert not any("photos" in path for method, path in network(phone).seen if method == "PATCH")
    assert (visits_on_server(place), counted(place, Feedback)) == (4, 1)
    assert counted(place, Device) == devices, "its numbers go on where the file's ended"
    status = phone.status()
    assert (status.waiting, status.photos_verified, status.photos) == (0, 2, 2)
    assert rows(phone) == rows(place.phone("two"))
    with pytest.raises(SaveFailed, match="没有未上传") as caught:
        phone.export_unsent()
    assert caught.value.code == "nothing"


@ONE
def test_what_the_phone_had_sent_meanwhile_is_told_as_such(place: Place) -> None:
    """The file was made first, the phone got through, then the file came."""
    phone, made = at_work(place)
    network(phone).down = False
    assert phone.sync().complete
    report = take_in(place, made.file)
    assert [one.before for one in report.entries] == [True, True]
    assert set(report.photos.values()) == {"verified"} and visits_on_server(place) == 3
    assert phone.sync().complete and phone.status().waiting == 0


@ONE
def test_nobody_who_carries_the_file_can_read_it(place: Place, tmp_path: Path) -> None:
    _, made = at_work(place)
    data = made.file.read_bytes()
    for secret in (NOTE, "基站", place.world.users["worker"]):
        assert secret.encode() not in data
    assert b"JFIF" not in data
    with zipfile.ZipFile(made.file) as file:
        readme = file.read(unsent.README).decode()
        names = set(file.namelist())
    assert "import-unsent" in readme and place.url in readme and "2 条记录，2 张照片" in readme
    assert len([name for name in names if name.startswith(unsent.PHOTOS)]) == 2
    cut = tmp_path / "cut.zip"
    cut.write_bytes(data[: len(data) // 2])
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(made.file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content[:-1] + b"x" if name == unsent.WORK_FILE else content)
    for bad in (cut, changed):
        with pytest.raises(Trouble) as caught:
            take_in(place, bad)
        assert caught.value.code == "bad_request"
    with place.app.app_context(), write() as session:
        session.delete(session.get(Setting, sealing.KEY))
    with pytest.raises(Trouble, match="另一台服务器"):
        take_in(place, made.file)


def rewritten(made: Path, into: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The file with its members changed."""
    with zipfile.ZipFile(made) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return into


@ONE
def test_whatever_is_done_to_the_file_it_is_refused_with_a_word(
    place: Place, tmp_path: Path
) -> None:
    _, made = at_work(place)
    whole = made.file.read_bytes()
    first, second = sorted(
        name for name in zipfile.ZipFile(made.file).namelist() if name.startswith(unsent.PHOTOS)
    )

    def exchange(members: dict[str, bytes]) -> None:
        members[first], members[second] = members[second], members[first]

    def traverse(members: dict[str, bytes]) -> None:
        members["../../../" + unsent.WORK_FILE] = members.pop(unsent.WORK_FILE)

    def head(**more: object) -> Callable[[dict[str, bytes]], None]:
        def change(members: dict[str, bytes]) -> None:
            said = json.loads(members[unsent.SEALED]) | more
            members[unsent.SEALED] = json.dumps(said).encode()

        return change

    changes: list[Callable[[dict[str, bytes]], None]] = [
        traverse,
        lambda members: members.pop(unsent.SEALED) and None,
        lambda members: members.update({unsent.SEALED: b"[]"}),
        lambda members: members.update({unsent.SEALED: b" " * 2**24}),
        lambda members: members.update({unsent.WORK_FILE: bytes(2**27)}),
        head(key=b64encode(bytes(32)).decode()),
        head(key="é"),
    ]
    bad = [rewritten(made.file, tmp_path / f"{n}.zip", how) for n, how in enumerate(changes)]
    for at in range(7, len(whole), len(whole) // 60):
        bad.append(tmp_path / f"flipped-{at}.zip")
        bad[-1].write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
    refused = 0
    for file in bad:
        try:
            take_in(place, file, dry_run=True)
        except Trouble as trouble:
            assert trouble.code == "bad_request", file.name
            refused += 1
        else:  # a byte of the readme, or of a photo, which is opened when it is taken in
            assert file.name.startswith("flipped")
    assert refused > len(changes)
    swapped = take_in(place, rewritten(made.file, tmp_path / "swapped.zip", exchange))
    assert set(swapped.photos.values()) == {"bad_request"}
    assert set(take_in(place, made.file).photos.values()) == {"verified"}, "the true one follows"


@ONE
def test_drafts_come_along_with_their_photos_and_are_put_down_for_their_writer(
    place: Place, tmp_path: Path
) -> None:
    phone = place.phone()
    network(phone).down = True
    photo = DraftPhoto(phone.prepare_photo(picture(side=77)))
    phone.keep_draft("visit:x", {"note": NOTE}, (photo,))
    made = phone.export_unsent()
    assert (made.transactions, made.photos, made.drafts) == (0, 0, 1)
    assert NOTE.encode() not in made.file.read_bytes()
    before = counted(place, Quarantined)
    data, into = str(place.folder.parent / "server"), tmp_path / "drafts"
    arguments = ["import-unsent", str(made.file), "--data", data, "--drafts", str(into)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0 and "1 份没写完的草稿（照片 1 张）" in done.output
    assert NOTE not in done.output and counted(place, Quarantined) == before
    kept = json.loads((into / "draft-1.json").read_text())
    assert kept["values"]["note"] == NOTE and kept["photos"] == [photo.photo.sha256]
    found = (into / f"{photo.photo.sha256}.jpg").read_bytes()
    assert hashlib.sha256(found).hexdigest() == photo.photo.sha256


@ONE
def test_a_revoked_phones_file_goes_into_quarantine(place: Place) -> None:
    phone, made = at_work(place)
    revoke(place, phone)
    report = take_in(place, made.file)
    assert report.revoked
    assert [(one.result, one.code) for one in report.entries] == [("held", "revoked")] * 2
    assert set(report.photos.values()) == {"verified"} and visits_on_server(place) == 1
    assert counted(place, Quarantined) == 2
    network(phone).down = False
    phone.sync()
    assert phone.status().handed_in and counted(place, Quarantined) == 2


@ONE
def test_numbers_that_do_not_fit_get_a_device_of_their_own(place: Place) -> None:
    """A clone took the numbers that the file's transactions have."""
    phone, made = at_work(place)
    phone.close()
    shutil.copytree(phone._store.folder, place.folder / "clone")
    clone = place.open("clone")
    with clone._store.writing() as store:
        for table in ("pending", "touched", "journal"):
            store.execute(f"DELETE FROM {table} WHERE n > 1")
    save(clone, place, "别的一条", 3)
    assert clone.sync().pushed == 1
    report = take_in(place, made.file)
    assert [one.result for one in report.entries] == ["applied"] * 2
    again = place.open("one")
    assert again.sync().complete
    assert visits_on_server(place) == 4 and again.status().waiting == 0


@ONE
def test_a_phone_that_is_not_known_needs_a_name_and_a_supervisor(place: Place) -> None:
    phone, made = at_work(place)
    with phone._store.reading() as store:
        device_id = meta.get(store, "device_id")
    with place.app.app_context(), write() as session:
        device = session.get(Device, device_id)
        assert device is not None
        device.token_hash = None
    with pytest.raises(Trouble, match="--as"):
        take_in(place, made.file)
    report = take_in(place, made.file, person="worker")
    assert report.revoked and {one.result for one in report.entries} == {"held"}
    assert set(report.photos.values()) == {"verified"}
    with place.app.app_context():
        actions = set(db.session.scalars(select(AuditEntry.action)))
    assert "import_unsent" in actions


@ONE
def test_a_store_that_does_not_open_still_gives_its_unsent_work(
    place: Place, tmp_path: Path
) -> None:
    """Damaged, or written by a newer app: read as it lies, and nothing in it is changed."""
    phone, _ = at_work(place)
    folder = phone._store.folder
    phone.close()
    for page in pages_of(folder / FILE, "record", 0x0D):
        spoil(folder / FILE, page)
    before = (folder / FILE).read_bytes()
    made = rescue.export(folder, FileKeeper(folder / DEVICE_KEY), tmp_path / "out", 1)
    assert (made.transactions, made.photos) == (2, 2)
    assert (folder / FILE).read_bytes() == before
    report = take_in(place, made.file)
    assert [one.result for one in report.entries] == ["applied"] * 2


@ONE
def test_a_phone_that_never_heard_the_servers_key_says_what_to_do(place: Place) -> None:
    phone, _ = at_work(place)
    with phone._store.writing() as store:
        meta.put(store, "unsent_key", "")
    with pytest.raises(SaveFailed, match="同步一次") as caught:
        phone.export_unsent()
    assert caught.value.code == "no_key"
    network(phone).down = False
    assert phone.sync().complete
    with phone._store.reading() as store:
        assert meta.get(store, "unsent_key")


@ONE
def test_the_command_shows_first_and_then_takes_in(place: Place) -> None:
    _, made = at_work(place)
    data = str(place.folder.parent / "server")
    run = CliRunner().invoke
    shown = run(main, ["import-unsent", str(made.file), "--dry-run", "--data", data])
    assert shown.exit_code == 0 and "没有写入" in shown.output and shown.output.count("会导入") == 3
    done = run(main, ["import-unsent", str(made.file), "--data", data])
    assert done.exit_code == 0 and done.output.count("收下 applied") == 2
    assert "共 2 条，新的 2 条；照片：已存好 safe 2" in done.output
    assert "早已到过" in run(main, ["import-unsent", str(made.file), "--data", data]).output
    wrong = run(main, ["import-unsent", str(place.folder / "one" / FILE), "--data", data])
    assert wrong.exit_code == 1 and "文件不完整" in wrong.output
    assert json.dumps(NOTE) not in done.output
