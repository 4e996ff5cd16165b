"""A bad line: passes HTTP on as it comes, cuts the connection again and again, and keeps count."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

HOST = "127.0.0.1"
PIECE = 32 * 1024
SILENCE = 60.0  # seconds without a byte after which a connection is given up


@dataclass
class Patch:
    """A PATCH that came by. ``passed`` bytes of its body went on; ``status`` 0: no answer."""

    path: str
    offset: int
    length: int
    passed: int = 0
    status: int = 0


class Line:
    """``server`` says at which port it is now. ``cuts``: least and most bytes between two cuts."""

    def __init__(self, server: Callable[[], int], cuts: tuple[int, int], seed: int = 1) -> None:
        self._server, self._cuts = server, cuts
        self._dice = random.Random(seed)
        self._left = self._dice.randint(*cuts)
        self._lock = threading.Lock()
        self.patches: list[Patch] = []
        self.passed = 0
        self.cut = 0
        self.answers: list[int] = []  # the bytes of each answer's body
        self._watchers: list[tuple[int, threading.Event]] = []
        self._socket = socket.create_server((HOST, 0), backlog=64)
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def after(self, passed: int) -> threading.Event:
        """An event that is set when so many bytes of photos have gone by."""
        event = threading.Event()
        with self._lock:
            self._watchers.append((passed, event))
        return event

    def answered(self, head: bytes) -> bytes:
        """The head of an answer as the client is to see it."""
        return head

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
        with client, suppress(OSError):
            client.settimeout(SILENCE)
            with socket.create_connection((HOST, self._server()), timeout=SILENCE) as server:
                while self._request(client, server):
                    pass

    def _request(self, client: socket.socket, server: socket.socket) -> bool:
        """One request and its answer; False: the connection has ended."""
        head, rest = _head(client)
        if not head:
            return False
        first = head.split(b" ", 2)
        length = int(_header(head, b"content-length") or 0)
        patch = None
        if first[0] == b"PATCH":
            patch = Patch(first[1].decode(), int(_header(head, b"upload-offset")), length)
            with self._lock:
                self.patches.append(patch)
        server.sendall(head)
        whole = self._body(client, server, rest, length, patch)
        if whole is None:
            return False
        answer, rest = _head(server)
        if patch is not None and answer:
            patch.status = int(answer.split(b" ", 2)[1])
        answer = self.answered(answer)
        left = int(_header(answer, b"content-length") or 0) - len(rest)
        if first[0] == b"HEAD" or b" 204 " in answer.split(b"\r\n")[0]:
            left = 0
        self.answers.append(len(rest) + left)
        client.sendall(answer + rest)
        while left > 0 and (piece := server.recv(PIECE)):
            client.sendall(piece)
            left -= len(piece)
        return whole and bool(answer) and _header(answer, b"connection").lower() != b"close"

    def _body(
        self, client: socket.socket, server: socket.socket, rest: bytes, length: int,
        patch: Patch | None,
    ) -> bool | None:  # fmt: skip
        """Pass a body on; False: the server took no more of it; None: the line was cut."""
        while length > 0:
            piece = rest or client.recv(min(PIECE, length))
            rest = b""
            if not piece:
                return None
            allowed = self._allow(len(piece)) if patch else len(piece)
            try:
                server.sendall(piece[:allowed])
            except OSError:
                return False
            if patch:
                patch.passed += allowed
            if allowed < len(piece):
                return None
            length -= len(piece)
        return True

    def _allow(self, size: int) -> int:
        """How many of these bytes pass before the next cut."""
        with self._lock:
            allowed = min(size, self._left)
            self._left -= allowed
            self.passed += allowed
            if allowed < size:
                self.cut += 1
                self._left = self._dice.randint(*self._cuts)
            for passed, event in self._watchers:
                if self.passed >= passed:
                    event.set()
            return allowed


def _head(source: socket.socket) -> tuple[bytes, bytes]:
    """The head of a message with its empty line, and what came with it; empty if it ended."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = source.recv(PIECE)
        if not piece:
            return b"", b""
        data += piece
    head, mark, rest = data.partition(b"\r\n\r\n")
    return head + mark, rest


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return b""
