"""`gridledger demo`: a demo district, one worker's round, and a server to click through."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

CODES_LIVE_MINUTES = 24 * 60  # a newcomer reads first; these codes open a demo only
PHONE = "round-phone"  # the folder of the phone that played the round
Say = Callable[[str, str], None]


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-data"),
    show_default=True,
    help="演示数据放在哪里 / Where the demo's data is.",
)
@click.option("--port", default=8321, show_default=True, help="端口，0 为任意 / Port; 0: any.")
@click.option("--no-round", is_flag=True, help="不演示走访 / Do not play the worker's round.")
@click.option("--json", "as_json", is_flag=True, help="第一行输出 JSON / First line is JSON.")
@click.option(
    "--households",
    type=click.IntRange(1),
    default=1200,
    show_default=True,
    help="住户数，可以很大 / How many households; may be large.",
)
@click.option(
    "--seed", default=1, show_default=True, help="同一种子同样数据 / Same seed, same data."
)
@click.option("--reset", is_flag=True, help="清空后重新建立 / Throw the demo away, make it anew.")
def demo(
    data: Path, port: int, no_round: bool, as_json: bool, households: int, seed: int, reset: bool
) -> None:
    """建立演示数据并运行服务器 / Make a demo and serve it.

    第一次运行会建立数据库、演示一名网格员的一轮走访；以后运行保留数据。按 Ctrl-C 结束。

    \b
    The first run makes the data and plays one worker's round through the real phone
    code: visits with the network off, then the sync. Later runs keep the data.

    \b
    例 / Example:
      gridledger demo
      gridledger demo --port 9000 --data /tmp/district
      gridledger demo --json --no-round
      gridledger demo --households 100000 --data big
    """
    from gridledger.demo import serving
    from gridledger.demo.told import lines

    def say(zh: str, en: str) -> None:
        click.echo(f"{zh}  {click.style(en, dim=True)}", err=as_json)

    signal.signal(signal.SIGTERM, _leave)
    try:
        port = serving.free_port(port)
    except OSError:
        _stop(
            f"端口 {port} 已被占用，请用 --port 换一个。", f"Port {port} is in use; choose another."
        )
    described = _data(data, households, seed, reset, say)
    try:
        with serving.running(data, port, _import) as server:
            url = f"http://{serving.HOST}:{port}"
            played = None if no_round else _round(data, url, described, say)
            told = _told(data, url, described, played)
            if as_json:
                click.echo(json.dumps(told, ensure_ascii=False))
                sys.stdout.flush()
            click.echo("\n".join(lines(told, data)), err=as_json)
            server.wait()
            _stop("服务器自己停了。", "The server has stopped by itself.")
    except serving.ServerFailed as failed:
        _stop(f"服务器没有启动：{failed}", f"The server did not start: {failed}")
    except KeyboardInterrupt:
        say("已停止，数据保留。", "Stopped; the data stays.")


def _data(data: Path, households: int, seed: int, reset: bool, say: Say) -> dict[str, Any]:
    """The demo's description; its data is made if there is none."""
    from gridledger.demo import folder

    try:
        exists = folder.ready(data)
    except folder.NotADemo:
        _stop(
            f"{data} 里有别的内容，演示不会动它。请用 --data 换一个目录。",
            f"{data} holds something else and is left alone; choose another with --data.",
        )
    if exists and reset:
        shutil.rmtree(data)
        exists = False
    if exists:
        return folder.description(data)

    from gridledger.demo import build
    from gridledger.demo.plan import Plan

    begun = time.monotonic()
    described = build.build(data, Plan(seed, households, time.time_ns() // 1_000_000), say)
    seconds = time.monotonic() - begun
    say(f"演示数据已建立，用时 {seconds:.0f} 秒。", f"Demo data made in {seconds:.0f} s.")
    return described


def _round(data: Path, url: str, described: dict[str, Any], say: Say) -> dict[str, int] | None:
    """What the one round left, played now or before; a failure is told and stops nothing."""
    from gridledger.demo import round as walk

    folder = data / PHONE
    result = walk.finished(folder)
    if result is None:
        worker = next(one for one in described["accounts"] if one["role"] == "grid_worker")
        try:
            result = walk.play(folder, url, lambda: _code(data, worker), described["seed"], say)
        except walk.RoundFailed as failed:
            click.echo(f"演示走访没有完成：{failed}", err=True)
            return None
    return asdict(result)


def _import() -> None:
    """What is needed next and takes a second to import, while the server starts beside it."""
    from gridledger.demo import build, round  # noqa: F401


def _code(data: Path, worker: dict[str, Any]) -> str:
    return _codes(data, [worker])[worker["username"]]


def _codes(data: Path, workers: list[dict[str, Any]]) -> dict[str, str]:
    """A fresh enrolment code for each of these people."""
    from gridledger.demo import build
    from server.operations import accounts

    with build.application(data):
        return {
            one["username"]: accounts.make_enrolment_code(
                accounts.find_user(one["username"]).id, minutes=CODES_LIVE_MINUTES
            ).text
            for one in workers
        }


def _told(
    data: Path, url: str, described: dict[str, Any], played: dict[str, int] | None
) -> dict[str, Any]:
    """What `--json` prints: address, accounts by role, codes by user name, grids."""
    from gridledger.demo.told import SHOWN

    def of(role: str) -> list[dict[str, Any]]:
        return [one for one in people if one["role"] == role][:SHOWN]

    def known(one: dict[str, Any], *more: str) -> dict[str, Any]:
        # A demo that was made before said less of its people.
        keys = ("username", "password", "name", "role", *more)
        return {**{key: one[key] for key in keys}, "where": one.get("where") or ["", ""]}

    people = described["accounts"]
    workers = of("grid_worker")
    accounts: dict[str, dict[str, Any]] = {}
    for one in people:
        accounts.setdefault(one["role"], known(one))
    return {
        "url": url,
        "accounts": accounts,
        "supervisors": [known(one) for one in of("supervisor")],
        "workers": [known(one, "grids") for one in workers],
        "enrolment_codes": _codes(data, workers),
        "areas": described["areas"],
        "round": played,
    }


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _stop(zh: str, en: str) -> NoReturn:
    click.echo(f"{zh} / {en}", err=True)
    raise SystemExit(1)
