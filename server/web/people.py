"""People: accounts, who walks which grid, enrolment of phones. For the admin."""

from __future__ import annotations

from typing import Any

import segno
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from server.errors import Trouble
from server.operations import accounts
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.queries import names, people
from server.web import args, session, words
from shared import ids, protocol, vocabulary

pages = Blueprint("people", __name__)
EDITABLE = ("name", "area_code", "body", "phone")
FIELDS = ("username", "name", "role", "area_code", "body", "phone", "password")


@pages.get("/people")
def listed() -> ResponseReturnValue:
    """Accounts by role."""
    viewer = session.need("people")
    reading = db.session()
    role = args.one_of(request.args.get("role", ""), [c.code for c in vocabulary.ROLES])
    shown = [one for one in people.accounts(reading, viewer) if role in ("", one.role)]
    walked = people.walked(reading, viewer)
    return render_template(
        "people/list.html",
        accounts=shown,
        role=role,
        roles=_roles(),
        walked=walked,
        areas=names.areas(
            reading,
            [*(one.area_code for one in shown), *(c for codes in walked.values() for c in codes)],
        ),
        bodies=names.references(reading, "body"),
        now=now_ms(),
        viewer=viewer,
    )


@pages.get("/people/grids")
def grids() -> ResponseReturnValue:
    """Grids and who walks them; those that nobody walks stand out."""
    viewer = session.need("people")
    reading = db.session()
    walkers: dict[str, list[str]] = {}
    for user_id, codes in people.walked(reading, viewer).items():
        for code in codes:
            walkers.setdefault(code, []).append(user_id)
    return render_template(
        "people/grids.html",
        grids=names.grids(reading, viewer),
        walkers=walkers,
        people=names.people(reading, {one for found in walkers.values() for one in found}),
        viewer=viewer,
    )


@pages.route("/people/new", methods=["GET", "POST"])
def add() -> ResponseReturnValue:
    """A new account."""
    viewer = session.need("people")
    reading = db.session()
    errors: dict[str, Any] = {}
    if request.method == "POST":
        given = {name: request.form.get(name, "").strip() for name in FIELDS}
        try:
            user, generated = accounts.add_user(**given, by=viewer.user_id)
        except Trouble as trouble:
            if trouble.code != "invalid":
                raise
            errors = trouble.errors
        else:
            message = _("%(name)s 的账号已建好。", name=user.name)
            flash(message, "success")
            if generated:
                _tell_password(generated)
            return redirect(url_for(".one", user_id=user.id))
    return (
        render_template(
            "people/new.html",
            areas=people.choosable_areas(reading, viewer),
            bodies=names.references(reading, "body"),
            errors=errors,
            roles=_roles(),
            tried=request.form,
            sees_all=viewer.area_code == ids.ROOT_AREA,
            viewer=viewer,
        ),
        422 if errors else 200,
    )


@pages.get("/people/<user_id>")
def one(user_id: str) -> ResponseReturnValue:
    """A person: their grids and phones."""
    return _page(user_id)


@pages.post("/people/<user_id>/grids")
def assign(user_id: str) -> ResponseReturnValue:
    """Let them walk a grid, or no longer."""
    viewer, user = _person(user_id)
    grid = request.form.get("grid", "")
    step = accounts.unassign if request.form.get("action") == "unassign" else accounts.assign
    try:
        step(user.id, grid, by=viewer.user_id)
    except Trouble as trouble:
        if trouble.code not in ("invalid", "not_found"):
            raise
        flash(words.in_language(trouble.detail), "error")
        return _page(user_id, 422)
    flash(_("网格已更新，下次同步时手机会收到。"), "success")
    return redirect(url_for(".one", user_id=user.id))


@pages.post("/people/<user_id>/code")
def code(user_id: str) -> ResponseReturnValue:
    """A one-time enrolment code, shown once with its QR."""
    viewer, user = _person(user_id)
    config = current_app.config["GRIDLEDGER"]
    base = config.public_url or request.url_root
    try:
        made = accounts.make_enrolment_code(user.id, by=viewer.user_id, base_url=base)
    except Trouble as trouble:
        if trouble.code != "invalid":
            raise
        flash(words.in_language(trouble.detail), "error")
        return _page(user_id, 422)
    picture = segno.make(made.link, error="m").svg_inline(
        border=2, svgclass="qr", lineclass=None, omitsize=True, dark="#14252a", light="#fff"
    )
    return render_template(
        "people/code.html",
        user=user,
        code=made,
        picture=Markup(picture),
        minutes=protocol.CODE_MINUTES,
        server=base.rstrip("/"),
        viewer=viewer,
    )


@pages.route("/people/<user_id>/edit", methods=["GET", "POST"])
def edit(user_id: str) -> ResponseReturnValue:
    """Change the name, the area, the body or the telephone number."""
    viewer, user = _person(user_id)
    if not viewer.sees_area(user.area_code):
        abort(404)
    reading = db.session()
    errors: dict[str, Any] = {}
    tried: Any = {name: getattr(user, name) or "" for name in EDITABLE}
    if request.method == "POST":
        tried = {name: request.form.get(name, "").strip() for name in EDITABLE}
        try:
            user = accounts.edit_user(user.id, **tried, by=viewer.user_id)
        except Trouble as trouble:
            if trouble.code != "invalid":
                raise
            errors = trouble.errors
        else:
            flash(_("%(name)s 的资料已保存。", name=user.name), "success")
            return redirect(url_for(".one", user_id=user.id))
    return (
        render_template(
            "people/edit.html",
            user=user,
            areas=people.choosable_areas(reading, viewer),
            bodies=names.references(reading, "body"),
            errors=errors,
            tried=tried,
            sees_all=viewer.area_code == ids.ROOT_AREA,
            viewer=viewer,
        ),
        422 if errors else 200,
    )


@pages.post("/people/<user_id>/active")
def active(user_id: str) -> ResponseReturnValue:
    """Disable the account, or enable it again."""
    viewer, user = _person(user_id)
    wanted = request.form.get("active") == "1"
    try:
        accounts.set_active(user.id, wanted, by=viewer.user_id)
    except Trouble as trouble:
        if trouble.code != "invalid":
            raise
        flash(words.in_language(trouble.detail), "error")
        return _page(user_id, 422)
    if wanted:
        flash(_("%(name)s 的账号已重新启用。", name=user.name), "success")
    else:
        flash(_("%(name)s 的账号已停用。", name=user.name), "success")
    return redirect(url_for(".one", user_id=user.id))


@pages.post("/people/<user_id>/password")
def password(user_id: str) -> ResponseReturnValue:
    """A new password, made and told once; it also unlocks the account."""
    viewer, user = _person(user_id)
    generated = accounts.set_password(user.id, by=viewer.user_id)
    flash(_("%(name)s 的密码已重设，账号已解锁。", name=user.name), "success")
    if generated:
        _tell_password(generated)
    return redirect(url_for(".one", user_id=user.id))


def _roles() -> list[tuple[str, str]]:
    return [(one.code, words.choice("ROLES", one.code)) for one in vocabulary.ROLES]


def _tell_password(generated: str) -> None:
    flash(_("密码是 %(password)s ，只显示这一次，请当面告诉本人。", password=generated), "info")


def _person(user_id: str) -> tuple[Any, Any]:
    viewer = session.need("people")
    user = people.account(db.session(), viewer, user_id)
    if user is None:
        abort(404)
    return viewer, user


def _page(user_id: str, status: int = 200) -> ResponseReturnValue:
    viewer, user = _person(user_id)
    reading = db.session()
    walked = people.walked(reading, viewer).get(user.id, [])
    every = names.grids(reading, viewer)
    return (
        render_template(
            "people/page.html",
            user=user,
            area=names.areas(reading, [user.area_code]).get(user.area_code, ""),
            body=names.references(reading, "body").get(user.body or ""),
            walked=[(code, dict(every).get(code, code)) for code in walked],
            free=[pair for pair in every if pair[0] not in walked],
            phones=people.phones(reading, viewer, user.id),
            now=now_ms(),
            clock_limit=protocol.CLOCK_WARNING_MS,
            may_change=viewer.sees_area(user.area_code),
            viewer=viewer,
        ),
        status,
    )
