"""HTTP, and nothing else: each message of the protocol as a call, each failure as RequestFailed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions
from marshmallow import Schema, ValidationError

from mobile.sync.failure import RequestFailed, Upload
from shared import protocol, schemas

TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds between two bytes
TUS = {"Tus-Resumable": "1.0.0"}
MAX_LINE = 16 * 2**20  # a longer line of an answer is no answer of ours
_TROUBLE = schemas.Trouble()
_BEFORE_A_CONNECTION = (
    requests.ConnectTimeout,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,  # refused, no route, no such name
    ConnectionRefusedError,
    socket.gaierror,
    ssl.SSLCertVerificationError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


class Client:
    """The way to one server with one token ("" before enrolment)."""

    def __init__(self, server: str, token: str, session: requests.Session) -> None:
        self._base = server.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = session

    def enrol(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """POST /enrol: an EnrolAnswer."""
        return self._call(protocol.ENROL, request, schemas.EnrolAnswer())

    def new_identity(self) -> dict[str, Any]:
        """POST /identity: an EnrolAnswer with another device id and token."""
        return self._call(protocol.IDENTITY, {}, schemas.EnrolAnswer())

    def offer(self, rows: list[dict[str, Any]]) -> int:
        """POST /offer: how many of the rows the server kept."""
        answer = self._call(protocol.OFFER, {"rows": rows}, schemas.OfferAnswer())
        return int(answer["kept"])

    def feedback(self, items: list[dict[str, Any]], ask: list[str]) -> dict[str, Any]:
        """POST /feedback: a FeedbackAnswer."""
        body = {"items": items, "ask": ask}
        return self._call(protocol.FEEDBACK, body, schemas.FeedbackAnswer())

    def looks(self, items: list[dict[str, Any]]) -> int:
        """POST /looks: how many of them the server has noted, now or before."""
        return int(self._call(protocol.LOOKS, {"items": items}, schemas.LooksAnswer())["noted"])

    def unsent_key(self) -> str:
        """GET /unsent-key: the key for which a file of unsent work is sealed."""
        with self._request("GET", protocol.UNSENT_KEY, headers={}) as response:
            return str(_load(schemas.UnsentKeyAnswer(), _parsed(response))["key"])

    def push(self, header: Mapping[str, Any], lines: Iterable[list[Any]]) -> dict[str, Any]:
        """POST /push: a PushAnswer."""
        text = "\n".join(_json(part) for part in (header, *lines)) + "\n"
        with self._request(
            "POST",
            protocol.PUSH,
            data=gzip.compress(text.encode(), 6, mtime=0),
            headers={"Content-Type": protocol.NDJSON, "Content-Encoding": "gzip"},
        ) as response:
            return _load(schemas.PushAnswer(), _parsed(response))

    @contextmanager
    def pull(self, request: Mapping[str, Any]) -> Iterator[Iterator[dict[str, Any]]]:
        """POST /pull: the lines of the answer as they arrive. They end early if it is cut."""
        with self._request(
            "POST",
            protocol.PULL,
            data=_json(request).encode(),
            headers={"Content-Type": "application/json", "Accept-Encoding": "gzip"},
            stream=True,
        ) as response:
            yield _lines(response)

    def photo_begin(self, sha256: str, size: int) -> Upload:
        """Begin an upload; the server may have the bytes already (``url`` None, a state)."""
        name = base64.b64encode(sha256.encode()).decode()
        headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": f"sha256 {name}"}
        with self._request("POST", protocol.PHOTOS, headers=headers) as response:
            state = response.headers.get("Upload-State", "")
            if response.status_code in (200, 201) and state in ("verified", "refused"):
                return Upload(None, size, state)
            location = response.headers.get("Location")
            if response.status_code != 201 or not location:
                raise RequestFailed("answer_invalid", f"creation answered {response.status_code}")
            where = urlsplit(urljoin(f"{self._base}{protocol.PHOTOS}", location))
            return Upload(where.path, 0, "uploading")

    def photo_offset(self, url: str) -> Upload:
        """How much of an upload the server has."""
        with self._request("HEAD", url, headers=TUS) as response:
            return Upload(url, _offset(response), response.headers.get("Upload-State", ""))

    def photo_chunk(self, url: str, offset: int, data: bytes) -> Upload:
        """Send a piece with its checksum."""
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        headers = TUS | {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {digest}",
        }
        with self._request("PATCH", url, data=data, headers=headers) as response:
            return Upload(url, _offset(response), response.headers.get("Upload-State", ""))

    def _call(self, path: str, request: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
        with self._request(
            "POST",
            path,
            data=_json(request).encode(),
            headers={"Content-Type": "application/json"},
        ) as response:
            return _load(schema, _parsed(response))

    @contextmanager
    def _request(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str],
        stream: bool = False,
    ) -> Iterator[requests.Response]:
        try:
            response = self._session.request(
                method,
                f"{self._base}{path}",
                data=data,
                headers=self._headers | dict(headers),
                timeout=TIMEOUT,
                stream=stream,
                allow_redirects=False,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            left = not _never_connected(error)
            raise RequestFailed("offline", type(error).__name__, left=left) from error
        with response:
            if not 200 <= response.status_code < 300:
                raise _failure(response)
            yield response


def _never_connected(error: Exception) -> bool:
    """Whether the request failed before a connection stood: certain, or False.

    The reason stands somewhere below: requests wraps urllib3, a proxy's error wraps once more.
    """
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        one = todo.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, _BEFORE_A_CONNECTION):
            return True
        todo += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return False


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parsed(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise RequestFailed("answer_invalid", "not JSON", response.status_code) from None


def _load(schema: Schema, raw: Any) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as error:
        raise RequestFailed("answer_invalid", str(error.messages)[:200]) from None
    return loaded


def _failure(response: requests.Response) -> RequestFailed:
    """What the server said was wrong, by its code; by its status where it said nothing."""
    status = response.status_code
    wait = response.headers.get("Retry-After", "")
    wait_ms = int(wait) * 1000 if wait.isascii() and wait.isdigit() and len(wait) < 6 else 0
    try:
        raw = response.json()
        code = raw["code"]
        if not isinstance(code, str):
            raise ValueError(code)
        return RequestFailed(
            code, str(raw.get("detail") or ""), status, raw.get("errors") or {}, wait_ms
        )
    except (ValueError, KeyError, TypeError, AttributeError, requests.RequestException):
        pass
    by_status = {
        401: "token_unknown",
        404: "not_found",
        410: "gone",
        413: "too_large",
        429: "too_many",
    }
    if status >= 500:
        code = "unavailable"
    elif status in by_status and status != 401:
        code = by_status[status]
    else:
        code = "answer_invalid"
    return RequestFailed(code, f"HTTP {status}", status, {}, wait_ms)


def _offset(response: requests.Response) -> int:
    text = response.headers.get("Upload-Offset", "")
    if not text.isascii() or not text.isdigit():
        raise RequestFailed("answer_invalid", "Upload-Offset", response.status_code)
    return int(text)


def _lines(response: requests.Response) -> Iterator[dict[str, Any]]:
    """The JSON objects of an answer. A body that is cut raises RequestFailed(``offline``)."""
    rest = b""
    try:
        for piece in response.iter_content(64 * 1024):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                if line.strip():
                    yield _object(line)
            if len(rest) > MAX_LINE:
                raise RequestFailed("answer_invalid", "a line without an end")
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise RequestFailed("offline", type(error).__name__) from error
    if rest.strip():
        yield _object(rest)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        raise RequestFailed("answer_invalid", "a line is not JSON") from None
    if not isinstance(found, dict):
        raise RequestFailed("answer_invalid", "a line is not an object")
    return found
