"""A phone whose photos stand at every step of their way to the server."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

from mobile.storage import photos, queue
from mobile.sync.phone import DraftPhoto, Phone, ProblemDraft, VisitDraft

STATES = ("uploading", "waiting", "corrupt", "stored", "trouble", "missing", "refused")


@dataclass(frozen=True)
class Scene:
    """``visits``: by the state of its one photo. ``safe``: a visit whose photos are all safe."""

    safe: str
    visits: dict[str, str]
    shas: dict[str, str]
    urgent: str


def drawn(number: int, side: int = 900) -> bytes:
    """A picture unlike all others."""
    image = Image.effect_noise((side, side * 3 // 4), 40).convert("RGB")
    ink = ImageDraw.Draw(image)
    ink.rectangle((60, 60, 360, 300), fill=(40 + number * 9, 110, 160))
    ink.ellipse((420, 200, 760, 540), fill=(200, 120, 30 + number * 9))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def visit_with(phone: Phone, home: str, pictures: list[bytes]) -> tuple[str, list[str]]:
    """A visit with photos; its id and the photos' hashes."""
    draft = phone.new_visit(home)
    ready = [phone.prepare_photo(one) for one in pictures]
    taken = tuple(DraftPhoto(one) for one in ready)
    visit = phone.save_visit(VisitDraft({**draft.values, "outcome": "met"}, taken, draft.grid))
    return visit, [one.sha256 for one in ready]


def lay_out(phone: Phone, states: tuple[str, ...] = STATES, safe: int = 12) -> Scene:
    """Save visits with photos, let the texts arrive, and put each photo into a state.

    The phone has pulled its round and its network is on.
    """
    side = 620
    homes = [home for home in phone.households() if home.state != "empty"]
    whole, safe_shas = visit_with(phone, homes[0].id, [drawn(n, side) for n in range(safe)])
    visits, shas = {}, {}
    for number, state in enumerate(states, start=1):
        visit, (sha,) = visit_with(phone, homes[number].id, [drawn(12 + number, side)])
        visits[state], shas[state] = visit, sha
    urgent = phone.report_problem(
        ProblemDraft(
            {
                "category": "emergency_trapped",
                "description": "2单元电梯停运，有人被困",
                "place": homes[9].address,
                "concern_tags": ["urgent"],
            },
            (DraftPhoto(phone.prepare_photo(drawn(30, side))),),
        )
    )
    phone.sync(photos=False)
    store, now = phone._store, phone.status().last_contact or 0
    with store.writing() as db:
        photos.pulled_states(db, {sha: "verified" for sha in safe_shas}, now)
        for state, sha in shas.items():
            if state == "uploading":
                photos.keep_upload(db, sha, "/api/v1/photos/x", 65_536)
            elif state == "trouble":
                queue.keep_trouble(db, sha, "locked", 3, now + 20 * 60_000)
            elif state == "refused":
                photos.keep_state(db, sha, "refused", "has_position")
            elif state != "waiting":
                photos.keep_state(db, sha, state, state)
    return Scene(whole, visits, shas, urgent)
