"""A bad line: a small HTTP proxy between one phone and the server, which faults are armed on.

One request a connection. What is armed hits the next request whose path fits, once.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"
PIECE = 64 * 1024
SILENCE = 120.0  # seconds without a byte after which a connection is given up
KINDS = (
    "lose_response", "duplicate", "hold", "cut_request", "cut_response", "refuse", "tell",
)  # fmt: skip


@dataclass
class Armed:
    """A fault that waits for its request. ``before`` runs before the request goes on."""

    kind: str
    method: str = ""
    path: str = ""
    skip: int = 0  # so many fitting requests pass first
    before: Callable[[], object] | None = None
    fired: threading.Event = field(default_factory=threading.Event)

    def fits(self, method: str, path: str) -> bool:
        """Whether the request is the one waited for."""
        return (not self.method or self.method == method) and self.path in path


class Proxy:
    """The line of one phone; ``server`` says at which port the server is now."""

    def __init__(self, server: Callable[[], int]) -> None:
        self._server = server
        self._armed: list[Armed] = []
        self._held: list[bytes] = []
        self._lock = threading.Lock()
        self._socket = socket.create_server((HOST, 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._down = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def arm(
        self,
        kind: str,
        path: str = "",
        method: str = "",
        skip: int = 0,
        before: Callable[[], object] | None = None,
    ) -> Armed:
        """Let the next request that fits meet a fault; its event says when it has."""
        armed = Armed(kind, method, path, skip, before)
        with self._lock:
            self._armed.append(armed)
        return armed

    def down(self, now: bool) -> None:
        """No network at all, or network again."""
        self._down = now

    def heal(self) -> None:
        """Nothing goes wrong from now on; what was held back goes out."""
        self._down = False
        with self._lock:
            self._armed.clear()
        self._release()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            client.settimeout(SILENCE)
            with suppress(OSError):
                request = _read(client)
                if request is None or self._down:
                    return
                method, path = _named(request)
                fault = self._take(method, path)
                if fault and fault.before:
                    fault.before()
                kind = fault.kind if fault else ""
                if fault:
                    fault.fired.set()
                self._answer(client, request, kind)

    def _answer(self, client: socket.socket, request: bytes, kind: str) -> None:
        if kind == "refuse":
            return
        if kind == "hold":  # the phone gives up; the request arrives after its next one
            with self._lock:
                self._held.append(request)
            return
        if kind == "cut_request":
            self._send_half(request)
            return
        if kind == "duplicate":
            self._drain(request)
        answer = self._forward(request)
        if kind == "lose_response":
            for _ in answer:
                pass
            return
        if kind == "cut_response":
            whole = b"".join(answer)
            head, mark, body = whole.partition(b"\r\n\r\n")
            client.sendall(head + mark + body[: len(body) // 2])
            return
        for piece in answer:
            client.sendall(piece)
        self._release()

    def _take(self, method: str, path: str) -> Armed | None:
        with self._lock:
            for armed in self._armed:
                if armed.fits(method, path):
                    if armed.skip:
                        armed.skip -= 1
                        return None
                    self._armed.remove(armed)
                    return armed
        return None

    def _release(self) -> None:
        """What was held back arrives now, late; nobody waits for its answer."""
        with self._lock:
            held, self._held = self._held, []
        for request in held:
            self._drain(request)

    def _drain(self, request: bytes) -> None:
        with suppress(OSError):
            for _ in self._forward(request):
                pass

    def _forward(self, request: bytes) -> Iterator[bytes]:
        with socket.create_connection((HOST, self._server()), timeout=SILENCE) as server:
            server.sendall(request)
            while piece := server.recv(PIECE):
                yield piece

    def _send_half(self, request: bytes) -> None:
        head, mark, body = request.partition(b"\r\n\r\n")
        with suppress(OSError), socket.create_connection((HOST, self._server())) as server:
            server.sendall(head + mark + body[: len(body) // 2])


def _read(client: socket.socket) -> bytes | None:
    """A whole request, said again with ``Connection: close``; None if it did not come whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(PIECE)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = [
        line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
    ]  # fmt: skip
    length = 0
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = client.recv(PIECE)
        if not piece:
            return None
        body += piece
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body


def _named(request: bytes) -> tuple[str, str]:
    method, _, rest = request.partition(b" ")
    path, _, _ = rest.partition(b" ")
    return method.decode("latin-1"), path.decode("latin-1")
