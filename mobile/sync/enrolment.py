"""Enrolment: a one-time code from a link or typed by hand becomes this phone's identity."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from mobile.core.errors import EnrolFailed
from mobile.core.views import Person
from mobile.storage import identity, meta
from mobile.storage.store import Store
from mobile.sync.failure import RequestFailed
from mobile.sync.push import APP
from shared import ids, protocol

if TYPE_CHECKING:
    import requests

SCHEME = "gridledger"
_LOCAL = re.compile(r"[^/\s]+")


def parse_link(link: str) -> tuple[str, str]:
    """(server, code) of ``gridledger://enrol?server=...&code=...``; raises EnrolFailed.

    A link may come without a server (``server_needed``): then it is asked for.
    """
    parts = urlsplit(link.strip())
    query = parse_qs(parts.query)
    server, code = query.get("server", [""])[0], query.get("code", [""])[0]
    if parts.scheme != SCHEME or parts.netloc != "enrol" or not code:
        raise EnrolFailed(
            "link_invalid", "这不是登记二维码，请扫管理员给的码", "This is not an enrolment code"
        )
    if not server:
        raise EnrolFailed(
            "server_needed",
            "二维码里没有服务器地址，请手工填写",
            "Please type the server's address",
        )
    return server, code


def plain_server(server: str) -> str:
    """``host:port`` or a URL as a URL without a path's end; raises EnrolFailed."""
    text = server.strip().rstrip("/")
    if "://" not in text and text:
        text = f"http://{text}"
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not _LOCAL.fullmatch(parts.netloc or ""):
        raise EnrolFailed("link_invalid", "服务器地址不对", "The server's address is not valid")
    return text


def enrol(
    store: Store, session: requests.Session, server: str, code: str, device_name: str
) -> Person:
    """Enrol, or enrol again; raises EnrolFailed. What is on the phone stays in any case."""
    from mobile.sync.client import Client

    address = plain_server(server)
    with store.reading() as db:
        known, owner = meta.identity(db), meta.get(db, "user_id")
    request: dict[str, Any] = {
        "code": code.strip(),
        "name": device_name.strip()[:80] or "手机",
        "app": APP,
    }
    if known is not None and ids.is_id(known.device_id):
        request["device_id"] = known.device_id
    try:
        answer = Client(address, "", session).enrol(request)
    except RequestFailed as failed:
        words = "unreached" if failed.code == "offline" else failed.code
        raise EnrolFailed(failed.code, told(words), told(words, "en")) from failed
    user_id = answer["user"].get("id") or answer["user"].get("user_id")
    if not isinstance(user_id, str):
        raise EnrolFailed("answer_invalid", told("answer_invalid"), told("answer_invalid", "en"))
    if owner not in ("", user_id):
        name = (known.person.name if known else "") or "另一人"
        raise EnrolFailed(
            "other_user",
            f"这里存的是{name}的资料，请换一个用户登记",
            f"This store is {name}'s; enrol under another user",
        )
    with store.writing() as db:
        identity.enrol(db, address, answer)
        now = meta.identity(db)
        assert now is not None
        return now.person


_OWN_WORDS = {
    "offline": ("连不上服务器，请检查网络", "The server cannot be reached"),
    "unreached": (  # nobody has enrolled there yet: the address may be wrong too
        "连不上服务器，请检查网络和服务器地址",
        "The server cannot be reached; check the network and the server's address",
    ),
    "damaged": (
        "手机里的资料文件损坏，请退出应用再打开",
        "The phone's database is damaged; leave the app and open it again",
    ),
    "incomplete": ("下载中断，下次接着下", "The download broke off; it goes on next time"),
    "answer_invalid": (
        "连上的不是本系统的服务器（可能要先登录 Wi-Fi）",
        "What answered is not our server (a Wi-Fi sign-in page?)",
    ),
    "checksum_mismatch": (
        "有数据与服务器对不上，已记下，会重新下载",
        "Some data differs from the server's; it will be downloaded again",
    ),
    "corrupt": ("照片传输中损坏，会重传", "A photo arrived broken; it will be sent again"),
    "missing": ("有照片在手机上找不到了", "A photo is not on this phone any more"),
    "unreadable": ("有照片这次没读出来，会再试", "A photo could not be read; it is tried again"),
    "busy": ("正在同步", "A sync is under way"),
    "not_enrolled": ("这部手机还没有登记", "This phone is not enrolled"),
    "token_revoked": (
        "这部手机已停用，请联系管理员。没上传的内容会转交网格长，交完后清除本机资料",
        "This phone was revoked; what was not sent is handed in, then the phone is wiped",
    ),
}


def told(code: str, language: str = "zh") -> str:
    """What a code of the phone's own or of the protocol means, for a person."""
    if code in _OWN_WORDS:
        return _OWN_WORDS[code][language == "en"]
    return protocol.title(code, language)
