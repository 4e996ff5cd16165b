"""One worker's round, played through the real phone: pull, no network, visits, network, sync.

Everything it has done stands in the phone's own folder, so it may be killed anywhere and played
again: what was saved is found there and not saved twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from gridledger.demo.dice import HOUR, Dice, dice, words
from gridledger.demo.pictures import ROUND_PHOTOS, taken_on_round
from gridledger.demo.reference import categories
from mobile.core.told import SyncProgress
from mobile.core.views import HouseholdRow
from mobile.core.written import DraftPhoto, ProblemDraft, VisitDraft
from mobile.sync.phone import Phone

VISITS = 12
PROBLEMS = 3
TRIES = 6
PHONE_NAME = "演示手机 / demo phone"
SERVER = "demo_server"  # the phone's setting that holds where it was enrolled
MARK = "demo_round"  # the phone's setting that holds the plan of the round and how far it is
SUGGESTION = "建议给老楼栋配一张楼层住户对照表，新来的网格员上门不用挨个问。"
Say = Callable[[str, str], None]


class RoundFailed(Exception):
    """The round could not be brought to its end; (Chinese, English)."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")


class Line(requests.Session):
    """The phone's way to the network, with a switch: off, nothing leaves and nothing is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.on = True

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        """Send, or fail as a phone does without a signal."""
        if not self.on:
            raise requests.exceptions.ConnectionError("no network")
        return super().send(request, **more)


@dataclass(frozen=True)
class Result:
    """What the round left: all of it accepted, all photos verified."""

    visits: int
    photos: int
    problems: int
    transactions: int


def finished(folder: Path) -> Result | None:
    """What the round left, if it was played to its end."""
    if not folder.is_dir():
        return None
    phone = Phone.open(folder)
    try:
        done = _plan(phone).get("done")
        return Result(**done) if done else None
    finally:
        phone.close()


def play(folder: Path, server: str, code: Callable[[], str], seed: int, say: Say) -> Result:
    """Play the round, or what is left of it. ``code`` makes an enrolment code when one is needed.

    Raises RoundFailed if the server does not take everything after several tries.
    """
    line = Line()
    phone = Phone.open(folder, http=line)
    try:
        return _Round(phone, line, seed, say).play(server, code)
    finally:
        phone.close()
        line.close()


class _Round:
    def __init__(self, phone: Phone, line: Line, seed: int, say: Say) -> None:
        self.phone, self.line, self.seed, self.say = phone, line, seed, say
        self.rolls: Dice = dice(seed, "round")

    def play(self, server: str, code: Callable[[], str]) -> Result:
        if not self.phone.enrolled or self.phone.setting(SERVER) != server:
            # Also when the demo has another port now: the same person's phone, its store kept.
            person = self.phone.enrol_by_code(server, code(), PHONE_NAME)
            self.phone.keep_setting(SERVER, server)
            self.say(f"手机已登记：{person.name}。", f"Phone enrolled: {person.name}.")
        if not _plan(self.phone):
            self._sync("下载网格资料", "Downloading the grid")
            self._make_plan()
        plan = _plan(self.phone)
        if not plan.get("saved"):
            self._offline(plan)
            plan["saved"] = True
            self._keep(plan)
        self.line.on = True
        self.say("打开网络，开始同步。", "Network on; syncing.")
        self._sync("同步", "Sync")
        result = self._check(plan)
        plan["done"] = asdict(result)
        self._keep(plan)
        return result

    def _make_plan(self) -> None:
        """Which doors, fixed before the first is visited; those in care and the longest unseen."""
        homes = self.phone.households()
        if not homes:
            raise RoundFailed("手机上没有住户", "There are no households on the phone")

        def unseen(home: HouseholdRow) -> tuple[bool, int, str]:
            return home.state == "empty", home.last_visit_at or 0, home.id

        homes.sort(key=lambda home: (not home.care, *unseen(home)))
        care, others = homes[: VISITS // 3], sorted(homes[VISITS // 3 :], key=unseen)
        chosen = [home.id for home in (care + others)[:VISITS]]
        self._keep({"started": time.time_ns() // 1_000_000, "homes": chosen})

    def _keep(self, plan: dict[str, Any]) -> None:
        self.phone.keep_setting(MARK, json.dumps(plan))

    def _offline(self, plan: dict[str, Any]) -> None:
        self.line.on = False
        refused = self.phone.sync()
        if refused.complete or not refused.troubles:
            raise RoundFailed("网络没有断开", "The network is not off")
        self.say("关闭网络，开始走访。", "Network off; the round begins.")
        cameras = taken_on_round(self.seed)
        self._visits(plan, cameras[: ROUND_PHOTOS - PROBLEMS])
        self._problems(plan, cameras[ROUND_PHOTOS - PROBLEMS :])
        self._edit(plan["homes"][0])
        self._suggest()
        status = self.phone.status()
        self.say(
            f"走访结束：{status.waiting} 笔待上传，{len(status.photos_waiting)} 张照片待上传。",
            f"Round over: {status.waiting} transactions and "
            f"{len(status.photos_waiting)} photos wait on the phone.",
        )

    def _visits(self, plan: dict[str, Any], cameras: Sequence[Path | bytes]) -> None:
        rows = {home.id: home for home in self.phone.households()}
        for number, home_id in enumerate(plan["homes"]):
            rolls = dice(self.seed, "round", "visit", number)
            at = plan["started"] - 2 * HOUR + number * 9 * 60_000
            if any(v.target_id == home_id and v.visited_at == at for v in self.phone.visits()):
                continue
            photos = self._shoot(cameras[number : number + 1], "scene", at)
            draft = self.phone.new_visit(home_id)
            values = {**draft.values, **_what_was_said(rolls, rows[home_id], number)}
            values["visited_at"] = at
            key = f"visit:{home_id}"
            self.phone.keep_draft(key, values, photos)  # typed first, as a person does
            self.phone.save_visit(VisitDraft(values, photos, draft.grid), key)
            where = f"{rows[home_id].address} {rows[home_id].name}"
            self.say(
                f"[无网络] 走访 {number + 1}/{len(plan['homes'])}：{where}，照片 {len(photos)} 张",
                f"[offline] visit {number + 1} of {len(plan['homes'])}, {len(photos)} photo(s)",
            )

    def _problems(self, plan: dict[str, Any], cameras: Sequence[Path | bytes]) -> None:
        homes = [self.phone.household(home_id) for home_id in plan["homes"]]
        codes = ("fire_passage", "sewage", "street_lamp")
        for number, code in enumerate(codes[:PROBLEMS]):
            at = plan["started"] - HOUR // 2 + number * 5 * 60_000
            if any(one.found_at == at for one in self.phone.problems()):
                continue
            home = homes[number * 4 % len(homes)]
            photos = self._shoot(cameras[number : number + 1], "before", at)
            category = categories()[code]
            values = {
                "category": code,
                "description": category["problems"][0].format(place=home.compound_name),
                "place": home.compound_name,
                "target_kind": "compound",
                "target_id": home.values["compound_id"],
                "concern_tags": ["worry"],
                "source": "worker",
                "found_at": at,
            }
            key = f"problem:demo:{number}"
            self.phone.keep_draft(key, values, photos)
            self.phone.report_problem(ProblemDraft(values, photos, home.grid), key)
            self.say(
                f"[无网络] 上报问题 {number + 1}/{PROBLEMS}：{values['description']}",
                f"[offline] problem {number + 1} of {PROBLEMS}: {category['en']}",
            )

    def _edit(self, home_id: str) -> None:
        note = "白天在医院陪护，晚七点后上门。"
        if self.phone.edit("household", home_id, {"note": note}):
            self.say("[无网络] 修改住户备注 1 处", "[offline] one household edited")

    def _suggest(self) -> None:
        if not self.phone.feedback():
            self.phone.give_feedback("suggestion", SUGGESTION)
            self.say("[无网络] 提一条建议", "[offline] one suggestion")

    def _shoot(
        self, cameras: Sequence[Path | bytes], phase: str, at: int
    ) -> tuple[DraftPhoto, ...]:
        return tuple(
            DraftPhoto(self.phone.prepare_photo(camera), phase, at + 60_000) for camera in cameras
        )

    def _sync(self, zh: str, en: str) -> None:
        """Sync until all is up and down, as a phone would on a bad line."""
        told: set[str] = set()

        def progress(now: SyncProgress) -> None:
            stages = {"push": "上传", "pull": "下载", "photos": "照片"}
            if now.stage not in told and now.total:
                told.add(now.stage)
                what, number = stages[now.stage], now.total
                self.say(f"{zh}：{what} {number}", f"{en}: {now.stage} {number}")

        for attempt in range(TRIES):
            report = self.phone.sync(progress)
            if report.complete:
                self.say(
                    f"{zh}完成：收到 {report.received} 条。",
                    f"{en}: {report.received} records came.",
                )
                return
            troubles = "；".join(f"{t.message_zh} / {t.message_en}" for t in report.troubles)
            self.say(f"{zh}还没有完成：{troubles}", f"{en} is not complete yet")
            time.sleep(min(report.retry_in_ms or 500, 250 * 2**attempt) / 1000)
        raise RoundFailed(f"{zh}没有完成", f"{en} did not complete")

    def _check(self, plan: dict[str, Any]) -> Result:
        """Every transaction applied, every photo verified; nothing lost, nothing twice."""
        status = self.phone.status()
        left = [item for item in status.items if item.place != "applied"]
        if status.waiting or left:
            worst = left[0].reason_zh if left else ""
            raise RoundFailed(f"有内容没有收下：{worst}", "Something was not accepted")
        if status.photos_verified < ROUND_PHOTOS or status.photos_waiting:
            raise RoundFailed("有照片没有核实", "Some photos are not verified")
        started = plan["started"] - 3 * HOUR
        visits = [v for v in self.phone.visits() if v.visited_at >= started]
        problems = [p for p in self.phone.problems() if (p.found_at or 0) >= started]
        result = Result(
            visits=sum(v.target_id in plan["homes"] for v in visits),
            photos=status.photos_verified,
            problems=len(problems),
            transactions=len(status.items),
        )
        if result.visits != len(plan["homes"]) or result.problems < PROBLEMS:
            raise RoundFailed(f"数目不对：{result}", f"The numbers do not match: {result}")
        self.say(
            f"全部收下：走访 {result.visits} 次，问题 {result.problems} 件，"
            f"照片 {result.photos} 张已核实。",
            f"All accepted: {result.visits} visits, {result.problems} problems, "
            f"{result.photos} photos verified.",
        )
        return result


def _plan(phone: Phone) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(phone.setting(MARK) or "{}")
    return found


def _what_was_said(rolls: Dice, home: HouseholdRow, number: int) -> dict[str, Any]:
    listed = words("phrases")
    if number == VISITS - 1:
        return {"outcome": "not_met", "reason": "routine", "note": listed["not_met"][0]}
    if number == VISITS - 2:
        return {"outcome": "no_change", "reason": "routine", "note": "情况同上次。"}
    parts = [rolls.choice(listed["openings"])]
    parts += [rolls.choice(listed["care"][group]) for group in home.care_groups]
    parts += [rolls.choice(listed["general"]), rolls.choice(listed["safety"])]
    values: dict[str, Any] = {
        "outcome": "met",
        "reason": "care" if home.care else "routine",
        "note": "".join(parts),
    }
    if number % 4 == 1:
        values |= {"appeal": rolls.choice(listed["appeals"]), "concern_tags": ["hope"]}
    if number == 4:
        values |= {"early_sign": listed["early_signs"][0], "concern_tags": ["worry"]}
    return values
