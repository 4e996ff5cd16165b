"""Every setting, read once from the environment; docs/operations.md lists them all."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Where the data is and how the server behaves.

    ``data`` holds the SQLite file, the photos and the secret key, unless the URLs say otherwise.
    ``public_url`` is the address that phones are told at enrolment; empty: the request's own.
    ``archive_days`` after its closure a problem is archived, without personal data (0: never).
    ``tick_seconds``: how often the embedded server does what is due by itself (0: never).
    """

    data: Path = Path("data")
    database_url: str = ""
    blobs_url: str = ""
    public_url: str = ""
    secure_cookies: bool = False
    proxies: int = 0
    archive_days: int = 365
    tick_seconds: int = 60
    demo: bool = False
    testing: bool = False
    secret_key: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, data: Path | None = None, **more: object) -> Config:
        """The settings of GRIDLEDGER_* variables; arguments win over them."""
        env = os.environ
        values: dict[str, object] = {
            "data": data or Path(env.get("GRIDLEDGER_DATA", "data")),
            "database_url": env.get("GRIDLEDGER_DATABASE_URL", ""),
            "blobs_url": env.get("GRIDLEDGER_BLOBS_URL", ""),
            "public_url": env.get("GRIDLEDGER_PUBLIC_URL", ""),
            "secure_cookies": env.get("GRIDLEDGER_SECURE_COOKIES", "") == "1",
            "proxies": int(env.get("GRIDLEDGER_PROXIES", "0")),
            "archive_days": int(env.get("GRIDLEDGER_ARCHIVE_DAYS", "365")),
            "tick_seconds": int(env.get("GRIDLEDGER_TICK_SECONDS", "60")),
            "secret_key": env.get("GRIDLEDGER_SECRET_KEY", ""),
        }
        return cls(**{**values, **more})  # type: ignore[arg-type]

    def retention(self) -> int | None:
        """How long a closed problem stays as it is, in milliseconds; None: for ever."""
        return self.archive_days * 86_400_000 if self.archive_days > 0 else None

    def sqlalchemy_url(self) -> str:
        """The database: the one that was named, else a SQLite file in the data folder."""
        if self.database_url:
            url = self.database_url
            for short in ("postgres://", "postgresql://"):
                if url.startswith(short):
                    return "postgresql+psycopg://" + url.removeprefix(short)
            return url
        return f"sqlite:///{(self.data / 'gridledger.sqlite3').absolute()}"

    def key(self) -> str:
        """The secret key: given, or made once and kept in the data folder, readable by us alone."""
        if self.secret_key:
            return self.secret_key
        path = self.data / "secret_key"
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                pass  # another process was quicker
            else:
                with os.fdopen(handle, "w") as file:
                    file.write(secrets.token_hex(32))
        return path.read_text()
