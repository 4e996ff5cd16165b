"""tus 1.0 line by line: the MUSTs and SHOULDs of its core and of our extensions, in our words."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from server import create_app
from server.config import Config
from server.storage.database import db
from server.storage.tables import Upload
from shared import ids, protocol
from tests.builders import World, build_world
from tests.uploads.declared import declare
from tests.uploads.pictures import photo

BYTES = {"Content_Type": "application/offset+octet-stream"}
EXTENSIONS = {
    "creation", "creation-with-upload", "checksum", "expiration", "termination", "concatenation",
}  # fmt: skip


class Site:
    """A server, a phone's token, and uploads in every state a request may meet."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world, self.client = app, world, app.test_client()
        self.data, self.name = b"", ""

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> Any:
        """A request with the headers that each has; a header of None is left out."""
        given: dict[str, str | None] = {
            "Authorization": f"Bearer {self.world.tokens['worker']}",
            "Tus-Resumable": "1.0.0",
        }
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in given.items() if value is not None}
        return self.client.open(path, method=method, data=body, headers=kept)

    def post(self, body: bytes = b"", metadata: str = "sha256 {}", **headers: str | None) -> Any:
        """A creation of a photo that is new."""
        self.data = photo(64, 48)
        (self.name,) = declare(self.app, self.world, self.data)
        base: dict[str, str | None] = {
            "Upload_Length": str(len(self.data)),
            "Upload_Metadata": metadata.format(base64.b64encode(self.name.encode()).decode()),
        }
        return self.ask("POST", protocol.PHOTOS, body, **(base | headers))

    def begun(self, metadata: str = "sha256 {}", **headers: str | None) -> str:
        """An upload that has no bytes yet."""
        return str(self.post(b"", metadata, **headers).headers["Location"])

    def half(self) -> str:
        """An upload that has its first hundred bytes."""
        url = self.begun()
        assert self.patch(url, 0, self.data[:100]).status_code == 204
        return url

    def done(self) -> str:
        url = self.begun()
        assert self.patch(url, 0, self.data).headers["Upload-State"] == "verified"
        return url

    def deleted(self) -> str:
        url = self.half()
        assert self.ask("DELETE", url).status_code == 204
        return url

    def expired(self) -> str:
        url = self.half()
        with self.app.app_context():
            db.session.execute(update(Upload).where(Upload.id == url[-36:]).values(expires_at=1))
            db.session.commit()
        return url

    def parts(self, whole: bool = True) -> list[str]:
        """Two partial uploads of one photo."""
        first = self.begun(Upload_Concat="partial", Upload_Length="100")
        self.patch(first, 0, self.data[:100])
        name = base64.b64encode(self.name.encode()).decode()
        second = self.ask(
            "POST", protocol.PHOTOS, Upload_Concat="partial", Upload_Metadata=f"sha256 {name}",
            Upload_Length=str(len(self.data) - 100),
        ).headers["Location"]  # fmt: skip
        if whole:
            self.patch(second, 0, self.data[100:])
        return [first, second]

    def joined(self, parts: list[str], **headers: str) -> Any:
        concat = f"final;{' '.join(parts)}"
        return self.ask("POST", protocol.PHOTOS, Upload_Concat=concat, **headers)

    def final(self) -> str:
        return str(self.joined(self.parts()).headers["Location"])

    def patch(self, url: str, offset: int, body: bytes, **headers: str | None) -> Any:
        base: dict[str, str | None] = {"Upload_Offset": str(offset), **BYTES}
        return self.ask("PATCH", url, body, **(base | headers))

    def offset(self, url: str) -> str | None:
        return self.ask("HEAD", url).headers.get("Upload-Offset")


@pytest.fixture(scope="module")
def site(templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("tus")
    shutil.copy(templates["sqlite"], folder / "gridledger.sqlite3")
    app = create_app(Config(data=folder, testing=True, secret_key="test"))
    with app.app_context():
        world = build_world()
    yield Site(app, world)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def sha1(data: bytes) -> str:
    return f"sha1 {base64.b64encode(hashlib.sha1(data).digest()).decode()}"


def unknown() -> str:
    return f"{protocol.PHOTOS}/{ids.new_id()}"


def no_offset(answer: Any) -> bool:
    return "Upload-Offset" not in answer.headers


Check = Callable[[Any], bool]
Line = tuple[str, Callable[[Site], Any], tuple[int, ...], Check]


def says(**headers: str) -> Check:
    wanted = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: {n: answer.headers.get(n) for n in wanted} == wanted


def anything(_answer: Any) -> bool:
    return True


def unchanged(attempt: Callable[[Site, str], Any], status: int) -> Callable[[Site], Any]:
    """After this attempt, which is refused, an upload is where it was: at 100 bytes."""

    def run(s: Site) -> Any:
        url = s.half()
        assert attempt(s, url).status_code == status
        return s.ask("HEAD", url)

    return run


CORE: list[Line] = [
    ("HEAD says the offset, also when it is 0", lambda s: s.ask("HEAD", s.begun()), (200,),
     says(Upload_Offset="0")),
    ("HEAD says the offset of an upload that is half here", lambda s: s.ask("HEAD", s.half()),
     (200,), says(Upload_Offset="100")),
    ("HEAD says the offset of an upload that is complete", lambda s: s.ask("HEAD", s.done()),
     (200,), lambda a: a.headers["Upload-Offset"] == a.headers["Upload-Length"]),
    ("HEAD says the length, where it is known", lambda s: s.ask("HEAD", s.half()), (200,),
     lambda a: a.headers["Upload-Length"].isdigit()),
    ("HEAD may not be kept by caches", lambda s: s.ask("HEAD", s.half()), (200,),
     says(Cache_Control="no-store")),
    ("HEAD of nothing: not found, and no offset", lambda s: s.ask("HEAD", unknown()), (404,),
     no_offset),
    ("PATCH of nothing: not found", lambda s: s.patch(unknown(), 0, b"x"), (404,), no_offset),
    ("PATCH of another media type: unsupported",
     lambda s: s.patch(s.half(), 100, b"x", Content_Type="application/octet-stream"), (415,),
     anything),
    ("PATCH without a media type: unsupported",
     lambda s: s.patch(s.half(), 100, b"x", Content_Type=None), (415,), anything),
    ("PATCH at another offset: conflict", lambda s: s.patch(s.half(), 50, b"x"), (409,),
     says(Upload_Offset="100")),
    ("PATCH at another offset of a complete upload: conflict",
     lambda s: s.patch(s.done(), 0, b"x"), (409,), anything),
    ("PATCH at another offset changes nothing", unchanged(lambda s, u: s.patch(u, 99, b"x"), 409),
     (200,), says(Upload_Offset="100")),
    ("PATCH that is taken: no content, and the new offset",
     lambda s: s.patch(s.half(), 100, s.data[100:130]), (204,), says(Upload_Offset="130")),
    ("PATCH without an offset is refused",
     lambda s: s.patch(s.half(), 0, b"x", Upload_Offset=None), (400,), anything),
    ("an offset is a whole number, not negative",
     lambda s: s.patch(s.half(), 0, b"x", Upload_Offset="-1"), (400,), anything),
    ("a length is a whole number, not negative", lambda s: s.post(Upload_Length="-5"), (400,),
     anything),
    ("more than the length is not taken", unchanged(lambda s, u: s.patch(u, 100, b"x" * 9000), 413),
     (200,), says(Upload_Offset="100")),
    ("OPTIONS names the versions, the best first", lambda s: s.ask("OPTIONS", protocol.PHOTOS),
     (204, 200), says(Tus_Version="1.0.0")),
    ("OPTIONS does not look at the version asked for",
     lambda s: s.ask("OPTIONS", protocol.PHOTOS, Tus_Resumable="0.1", Authorization=None),
     (204, 200), says(Tus_Version="1.0.0")),
    ("OPTIONS names the extensions", lambda s: s.ask("OPTIONS", protocol.PHOTOS), (204, 200),
     lambda a: set(a.headers["Tus-Extension"].split(",")) == EXTENSIONS),
    ("OPTIONS names the largest size", lambda s: s.ask("OPTIONS", protocol.PHOTOS), (204, 200),
     says(Tus_Max_Size=str(protocol.MAX_PHOTO))),
    ("another version: precondition failed, with those that are spoken",
     lambda s: s.ask("HEAD", s.half(), Tus_Resumable="0.2.2"), (412,), says(Tus_Version="1.0.0")),
    ("no version: precondition failed", lambda s: s.ask("HEAD", s.half(), Tus_Resumable=None),
     (412,), says(Tus_Version="1.0.0")),
    ("another version is not acted upon",
     unchanged(lambda s, u: s.patch(u, 100, b"x", Tus_Resumable="2.0.0"), 412), (200,),
     says(Upload_Offset="100")),
    ("the method of X-HTTP-Method-Override counts: PATCH",
     lambda s: s.ask("POST", s.half(), s.data[100:120], Upload_Offset="100",
                     X_HTTP_Method_Override="PATCH", **BYTES), (204,),
     says(Upload_Offset="120")),
    ("the method of X-HTTP-Method-Override counts: DELETE",
     lambda s: s.ask("POST", s.half(), X_HTTP_Method_Override="DELETE"), (204,), anything),
]  # fmt: skip


CREATION: list[Line] = [
    ("creation: created, with a place", lambda s: s.post(), (201,),
     lambda a: a.headers["Location"].startswith(protocol.PHOTOS)),
    ("what is created is empty", lambda s: s.ask("HEAD", s.begun()), (200,),
     says(Upload_Offset="0")),
    ("creation without a length is refused", lambda s: s.post(Upload_Length=None), (400,),
     anything),
    ("a deferred length is 1 or wrong, and not offered here",
     lambda s: s.post(Upload_Length=None, Upload_Defer_Length="2"), (400,), anything),
    ("more than the largest size: too large",
     lambda s: s.post(Upload_Length=str(protocol.MAX_PHOTO + 1)), (413,), anything),
    ("metadata: each key once",
     lambda s: s.post(metadata="sha256 YQ==,sha256 YQ=="), (400,), anything),
    ("metadata: values are base64", lambda s: s.post(metadata="sha256 a b"), (400, 422),
     anything),
    ("metadata: a key may stand without a value",
     lambda s: s.ask("HEAD", s.begun(metadata="secret,sha256 {}")), (200,), anything),
    ("HEAD says the metadata as it came",
     lambda s: s.ask("HEAD", s.begun(metadata="filename eC5qcGc=,sha256 {}")), (200,),
     lambda a: a.headers["Upload-Metadata"].startswith("filename eC5qcGc=,sha256 ")),
    ("bytes with the creation: taken, and the offset said",
     lambda s: s.post(b"\xff" * 40, **BYTES), (201,), says(Upload_Offset="40")),
    ("bytes with the creation are of the one media type",
     lambda s: s.post(b"\xff" * 40, Content_Type="image/jpeg"), (415,), anything),
]  # fmt: skip


EXTENDED: list[Line] = [
    ("expiration: said at the creation", lambda s: s.post(), (201,),
     lambda a: parsedate_to_datetime(a.headers["Upload-Expires"]).year > 2000),
    ("expiration: said by every PATCH of what is not complete",
     lambda s: s.patch(s.half(), 100, s.data[100:110]), (204,),
     lambda a: a.headers["Upload-Expires"].endswith("GMT")),
    ("expired: gone", lambda s: s.ask("HEAD", s.expired()), (410,), no_offset),
    ("expired: takes no bytes", lambda s: s.patch(s.expired(), 100, b"x"), (410,), anything),
    ("checksum: the algorithms are named, sha1 among them",
     lambda s: s.ask("OPTIONS", protocol.PHOTOS), (204, 200),
     lambda a: "sha1" in a.headers["Tus-Checksum-Algorithm"].split(",")),
    ("checksum: right bytes are taken",
     lambda s: s.patch(s.half(), 100, s.data[100:200], Upload_Checksum=sha1(s.data[100:200])),
     (204,), says(Upload_Offset="200")),
    ("checksum: wrong bytes are refused by 460",
     lambda s: s.patch(s.half(), 100, b"xyz", Upload_Checksum=sha1(b"abc")), (460,), anything),
    ("checksum: wrong bytes change nothing",
     unchanged(lambda s, u: s.patch(u, 100, b"xyz", Upload_Checksum=sha1(b"abc")), 460), (200,),
     says(Upload_Offset="100")),
    ("checksum: an algorithm that is not offered is refused",
     lambda s: s.patch(s.half(), 100, b"x", Upload_Checksum="crc32 AAAA"), (400,), anything),
    ("checksum: bytes with the creation too",
     lambda s: s.post(b"xyz", Upload_Checksum=sha1(b"abc"), **BYTES), (460,), anything),
    ("termination: no content", lambda s: s.ask("DELETE", s.half()), (204,), anything),
    ("termination: HEAD finds nothing after it", lambda s: s.ask("HEAD", s.deleted()), (404, 410),
     no_offset),
    ("termination: PATCH finds nothing after it", lambda s: s.patch(s.deleted(), 100, b"x"),
     (404, 410), anything),
    ("termination of nothing: not found", lambda s: s.ask("DELETE", unknown()), (404, 410),
     anything),
    ("concatenation: a part says that it is one", lambda s: s.ask("HEAD", s.parts()[0]), (200,),
     says(Upload_Concat="partial", Upload_Length="100")),
    ("concatenation: parts become one upload", lambda s: s.joined(s.parts()), (201,),
     says(Upload_State="verified")),
    ("concatenation: the whole says of what", lambda s: s.ask("HEAD", s.final()), (200,),
     lambda a: a.headers["Upload-Concat"].startswith("final;/")),
    ("concatenation: the whole is as long as its parts, and complete",
     lambda s: s.ask("HEAD", s.final()), (200,),
     lambda a: a.headers["Upload-Length"] == a.headers["Upload-Offset"]),
    ("concatenation: the whole takes no bytes", lambda s: s.patch(s.final(), 0, b"x"), (403,),
     anything),
    ("concatenation: the whole has no length of its own",
     lambda s: s.joined(s.parts(), Upload_Length="5"), (400,), anything),
    ("concatenation: parts that are not whole are refused",
     lambda s: s.joined(s.parts(whole=False)), (409,), anything),
    ("concatenation: what is no part is refused", lambda s: s.joined([s.half()]), (422,),
     anything),
    ("concatenation: a word that is not known is refused", lambda s: s.post(Upload_Concat="x"),
     (400,), anything),
    ("concatenation: the parts' metadata is not the whole's",
     lambda s: s.ask("HEAD", s.final()), (200,), lambda a: "Upload-Metadata" not in a.headers),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ask", "status", "check"),
    [row[1:] for row in (*CORE, *CREATION, *EXTENDED)],
    ids=[row[0] for row in (*CORE, *CREATION, *EXTENDED)],
)
def test_line(
    site: Site, ask: Callable[[Site], Any], status: tuple[int, ...], check: Check
) -> None:
    answer = ask(Site(site.app, site.world))
    assert answer.status_code in status, answer.text
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert check(answer), dict(answer.headers)
