"""What people said and who they are cannot be read out of the phone's files."""

from __future__ import annotations

import io
import re
import shutil
import sqlite3
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from mobile.core.errors import SaveFailed
from mobile.storage import migrations, vault
from mobile.storage.store import FILE
from mobile.storage.vault import Cipher, FileKeeper
from mobile.sync.phone import DraftPhoto, Phone, ProblemDraft, VisitDraft
from tests.mobile.conftest import USER, FakeFeed, HandClock
from tests.mobile.test_feed import HOME, home

STORES = Path(__file__).parents[1] / "stores"
SECRETS = ("王秀兰", "13812341234", "想装扶手", "写了一半", "电梯困人", "李奶奶", "13700002222")


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(out, "JPEG")
    return out.getvalue()


def released(version: str, folder: Path) -> None:
    """The store that the app of a released version left."""
    with tarfile.open(STORES / f"phone-{version}.tar.gz") as tar:
        tar.extractall(folder, filter="data")


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def at_work(phone: Phone, server: FakeFeed) -> str:
    """A phone with people in it: pulled, pending, drafted, photographed. The visit's id."""
    resident = server.row("resident", "01900000-0000-7000-8000-0000000000e1", 1, household_id=HOME,
                          name="李奶奶", phone="13700002222")  # fmt: skip
    found = home(server, contact_name="王秀兰", contact_phone="13812341234")
    server.send(found, resident, server.checkpoint())
    photo = DraftPhoto(phone.prepare_photo(picture()))
    values = {**phone.new_visit(HOME).values, "outcome": "met", "note": "想装扶手"}
    visit_id = phone.save_visit(VisitDraft(values, (photo,)))
    phone.report_problem(ProblemDraft({"category": "x", "description": "电梯困人", "place": "3"}))
    assert phone.edit("household", HOME, {"note": "王秀兰 13812341234"})
    phone.keep_draft("visit:x", {"note": "写了一半"}, (photo,))
    return visit_id


def test_nothing_that_was_said_can_be_read_in_the_files(phone: Phone, server: FakeFeed) -> None:
    visit_id = at_work(phone, server)
    with phone._store.writing() as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('token', seal('the-token'))")
    assert [row.name for row in phone.households("1234")] == ["王秀兰"]
    assert [row.name for row in phone.households("秀兰")] == ["王秀兰"]
    assert phone.problems("困人") and phone.visit(visit_id).row.note == "想装扶手"
    left = on_disk(phone._store.folder)
    for secret in (*SECRETS, "the-token"):
        assert secret.encode() not in left, secret
    assert b"JFIF" not in left and b"Exif" not in left
    photo = phone.visit(visit_id).photos[0]
    assert photo.path is not None and phone.picture(photo.path).startswith(b"\xff\xd8")


def test_a_store_of_0_1_0_is_sealed_and_loses_nothing(tmp_path: Path) -> None:
    """The file was made by the app as it was released."""
    released("0.1.0", tmp_path / "phone")
    before = on_disk(tmp_path / "phone")
    phone = Phone.open(tmp_path / "phone", clock=HandClock())
    assert phone.recovered is None and phone.me is not None and phone.me.user_id == USER
    status = phone.status()
    assert (status.waiting, status.photos) == (4, 1)
    titles = {item.title_zh for item in status.items}
    assert titles == {"走访：住户2号", "走访：住户3号", "走访：住户4号", "修改：住户5号",
                      "上报问题：电梯困人"}  # fmt: skip
    assert phone.drafts()[0].values == {"note": "写了一半的话"}
    assert [row.name for row in phone.households("2222")] == ["住户5号"]
    notes = {visit.note for visit in phone.visits()}
    assert {"没发的第一条", "没发的第二条", "已回执的一条"} <= notes
    with phone._store.reading() as db:
        assert db.execute("SELECT unseal(value) FROM meta WHERE name = 'token'").fetchone()[0] == (
            "token-of-0.1.0"
        )
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(migrations.STEPS)
    photo = next(v for v in phone.visits() if v.photos)
    path = phone.visit(photo.id).photos[0].path
    assert path is not None and phone.picture(path) in before
    phone.close()
    left = on_disk(tmp_path / "phone")
    for secret in ("住户3号", "1390000100", "没发的", "电梯困人", "token-of-0.1.0"):
        assert secret.encode() in before and secret.encode() not in left, secret
    assert b"JFIF" in before and b"JFIF" not in left


def test_another_keeper_or_a_lost_key_opens_nothing_and_destroys_nothing(
    phone: Phone, server: FakeFeed, tmp_path: Path
) -> None:
    at_work(phone, server)
    folder = phone._store.folder
    phone.close()
    copied = shutil.copytree(folder, tmp_path / "copied")
    with pytest.raises(SaveFailed) as caught:
        Phone.open(copied, keeper=FileKeeper(tmp_path / "other.key"))
    assert caught.value.code == "key_lost"
    for name in vault.KEY_FILES[:1]:
        (copied / name).write_bytes(b"{broken")
    again = Phone.open(copied, clock=HandClock())
    assert again.status().waiting == 3, "the second copy of the key stood in"
    again.close()
    assert (copied / vault.KEY_FILES[0]).read_bytes() == (copied / vault.KEY_FILES[1]).read_bytes()


def test_a_sealed_text_that_was_changed_is_told_as_damage(phone: Phone, server: FakeFeed) -> None:
    at_work(phone, server)
    with phone._store.writing() as db:
        db.execute("UPDATE record SET agreed = replace(agreed, substr(agreed, 20, 3), 'AAA')"
                   " WHERE id = ?", (HOME,))  # fmt: skip
        db.execute("UPDATE record SET shown = NULL WHERE id = ?", (HOME,))
    with pytest.raises(SaveFailed) as caught:
        phone.household(HOME)
    assert caught.value.code == "damaged"
    phone.close()
    again = Phone.open(phone._store.folder, clock=HandClock())
    assert again.recovered is not None and again.recovered.waiting == 3
    assert "想装扶手" in {visit.note for visit in again.visits()}
    again.close()


def test_a_cipher_refuses_what_was_changed_and_never_repeats_itself() -> None:
    cipher = Cipher(b"k" * 32)
    one, two = cipher.seal(b"x"), cipher.seal(b"x")
    assert one != two and cipher.unseal(one) == b"x"
    with pytest.raises(ValueError, match="damaged"):
        cipher.unseal(one[:-1] + bytes([one[-1] ^ 1]))


def test_no_statement_reads_a_sealed_column_as_it_lies() -> None:
    """A column that is sealed goes through ``unseal`` or ``readable``, or only NULL is asked."""
    bare = re.compile(r"(?<!unseal\()coalesce\((\w+\.)?shown, (\w+\.)?agreed\)")
    for path in Path(migrations.__file__).parent.glob("*.py"):
        if path.name != "migrations.py":
            assert not bare.search(path.read_text(encoding="utf-8")), path


def test_the_file_of_the_store_is_no_plain_text(phone: Phone, server: FakeFeed) -> None:
    """Other programs see times, states and house numbers, and no more."""
    at_work(phone, server)
    db = sqlite3.connect(phone._store.folder / FILE)
    text, doc = db.execute("SELECT (SELECT text FROM journal), agreed FROM record"
                           " WHERE kind = 'resident'").fetchone()  # fmt: skip
    db.close()
    assert text.startswith("~") and doc.startswith('{"~":"') and "household_id" in doc
