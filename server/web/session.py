"""Who is signed in on this browser, for how long, and what their role lets them open."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from flask import Flask, Response, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user

from server.core.access import Viewer
from server.errors import Trouble
from server.operations import sign_in
from server.operations.clock import now_ms
from server.storage.database import db
from server.storage.tables import User

IDLE_MS = 10 * 60 * 1000
LONGEST_MS = 12 * 3600 * 1000
NOTED_EVERY_MS = 20 * 1000  # the cookie need not change with every click
# What anybody may open, signed in or not.
PUBLIC = {"web.static", "web.sign_in.page", "web.sign_in.enter", "web.language.choose"}
# What someone may open whose role has no pages of its own.
WITHOUT_PAGES = PUBLIC | {"web.home.page", "web.sign_in.leave", "web.sign_in.own_password"}


def register(app: Flask) -> None:
    """Let Flask-Login know our accounts."""
    manager = LoginManager()
    manager.session_protection = None  # the stamp below does more, and an address may change
    manager.init_app(app)

    @manager.user_loader
    def _load(user_id: str) -> User | None:
        user = db.session.get(User, user_id)
        if user is None or not user.active or session.get("stamp") != stamp(user):
            return None
        return user


def begin(user: User) -> None:
    """Sign a person in, in a session that holds nothing from before."""
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    now = now_ms()
    session["stamp"], session["began"], session["seen"] = stamp(user), now, now
    login_user(user)
    g.pop("viewer", None)


def end() -> None:
    """Forget who was signed in; the chosen language stays."""
    language = session.get("language")
    logout_user()
    session.clear()
    if language:
        session["language"] = language


def check() -> ResponseReturnValue | None:
    """Before every page: signed in, not idle for too long, and of a role with pages."""
    if request.endpoint in PUBLIC:
        return None
    if not current_user.is_authenticated:
        if session.get("_user_id"):
            end()
        return _to_sign_in("")
    now = now_ms()
    seen, began = session.get("seen", 0), session.get("began", 0)
    if now - seen > IDLE_MS or now - began > LONGEST_MS:
        sign_in.leave(current_user.id, request.remote_addr, idle=True)
        end()
        return _to_sign_in(_("您有 10 分钟没有操作，已自动退出。请重新登录。"))
    if now - seen > NOTED_EVERY_MS:
        session["seen"] = now
    if current_user.role == "grid_worker" and request.endpoint not in WITHOUT_PAGES:
        raise Trouble("forbidden")
    return None


def viewer() -> Viewer:
    """Who looks at this page."""
    if "viewer" not in g:
        user = current_user
        g.viewer = Viewer(user.id, user.role, user.area_code, user.body or "")
    return g.viewer  # type: ignore[no-any-return]


def need(*permissions: str) -> Viewer:
    """The viewer, who has one of the permissions; else the page says that they may not."""
    who = viewer()
    if not any(who.may(permission) for permission in permissions):
        raise Trouble("forbidden")
    return who


def local_path(target: str | None) -> str:
    """A path of our own to go on to, "" for anything that could lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return ""
    if any(ord(c) < 33 or c == "\\" for c in target):
        return ""
    parts = urlsplit(target)
    return "" if parts.scheme or parts.netloc else target


def came_from() -> str:
    """The page of ours on which a form was sent; "" where that is not known."""
    page = urlsplit(request.referrer or "")
    if page.netloc != request.host:
        return ""
    return local_path(page.path + (f"?{page.query}" if page.query else ""))


def _to_sign_in(message: str) -> ResponseReturnValue:
    if message:
        flash(message, "info")
    target = request.full_path.rstrip("?") if request.method == "GET" else came_from()
    target = "" if target == "/" else local_path(target)
    address = url_for("web.sign_in.page", next=target or None)
    if "HX-Request" in request.headers:  # a part of a page: the whole page goes to the door
        return Response("", 200, {"HX-Redirect": address})
    return redirect(address)


def stamp(user: User) -> str:
    """Changes with the password and the role, so that every older session ends then."""
    text = f"{user.password_hash}|{user.role}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
