"""`gridledger simulate`: real phones, real faults, and the proof that nothing was lost."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from gridledger.simulate.check import Findings
    from gridledger.simulate.plan import Plan


@click.command()
@click.option(
    "--phones", type=click.IntRange(1, 500), default=6, show_default=True, help="手机数 / Phones."
)
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=3, show_default=True, help="轮数 / Rounds."
)
@click.option(
    "--faults",
    default="all",
    show_default=True,
    metavar="all|none|NAME,NAME",
    help="哪些故障 / Which faults.",
)
@click.option(
    "--seed", default=1, show_default=True, help="同一种子同样计划 / Same seed, same plan."
)
@click.option(
    "--database",
    metavar="URL",
    default="",
    help="空的 PostgreSQL 数据库；默认用临时的 SQLite / An empty database; default: SQLite.",
)
@click.option(
    "--photos",
    type=click.IntRange(0, 100),
    default=2,
    show_default=True,
    help="每部手机每轮拍几张 / Photos that each phone takes a round.",
)
@click.option("--json", "as_json", is_flag=True, help="只输出一个 JSON / Print one JSON object.")
def simulate(
    phones: int, rounds: int, faults: str, seed: int, database: str, photos: int, as_json: bool
) -> None:
    """让许多真手机在各种故障下同步，再逐条核对 / Prove that nothing is lost.

    启动一个临时服务器，让真正的手机程序走访、修改、拍照、断网、被杀、被克隆，服务器也被杀、被恢复；
    最后恢复网络，逐笔核对。有丢失、重复、不一致、越权或仍在等待的，退出码为 1。

    \b
    Starts a server of its own, drives real phone cores through rounds under
    faults, ends quiet, and looks for every transaction that was ever saved.

    \b
    例 / Example:
      gridledger simulate
      gridledger simulate --phones 20 --rounds 10 --seed 7 --json
      gridledger simulate --faults lost_response,phone_killed
      gridledger simulate --phones 8 --database postgresql://me@db/empty
    """
    from gridledger.simulate import plan as plans
    from gridledger.simulate import report as reports

    begun = time.monotonic()
    signal.signal(signal.SIGTERM, _leave)
    try:
        names = plans.chosen(faults)
    except plans.UnknownFault as unknown:
        listed = "、".join(plans.FAULTS)
        _stop(f"没有这种故障：{unknown}。有：{listed}", f"No such fault: {unknown}")
    plan = plans.make(phones, rounds, names, seed, photos)
    found, counts = _run(plan, database)
    report = reports.as_object(phones, found, counts, round(time.monotonic() - begun, 1))
    if as_json:
        click.echo(reports.as_json(report))
        for line in found.told:
            click.echo(line, err=True)
    else:
        reports.show(report, found, click.echo)
    sys.exit(0 if found.sound else 1)


def _run(plan: Plan, database: str) -> tuple[Findings, dict[str, int]]:
    from gridledger.demo.serving import ServerFailed
    from gridledger.simulate import district
    from gridledger.simulate.run import Simulation
    from gridledger.simulate.serving import Server

    folder = Path(tempfile.mkdtemp(prefix="gridledger-simulate-"))
    data = folder / "server"
    data.mkdir()
    server = Server(folder, data, database)
    try:
        with district.application(data, database) as app:
            try:
                district.check_empty()
            except district.NotEmpty as found:
                _stop(
                    f"数据库不是空的（有 {found}），模拟不会动它。请给一个空的数据库。",
                    f"The database is not empty ({found}) and is left alone",
                )
            _say("建立街道、网格、住户和账号", "making a district")
            made = district.build(plan.phones)
            server.start()
            simulation = Simulation(plan, folder, app, server, made, _say)
            try:
                return simulation.play(), dict(simulation.counts)
            finally:
                simulation.close()
    except ServerFailed as failed:
        _stop(f"服务器没有启动：{failed}", "The server did not start")
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _say(zh: str, en: str) -> None:
    click.echo(f"{zh}  {click.style(en, dim=True)}" if en else zh, err=True)


def _stop(zh: str, en: str) -> NoReturn:
    click.echo(f"{zh} / {en}", err=True)
    raise SystemExit(1)
