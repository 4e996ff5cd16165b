"""Sign in and out."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from server.operations import sign_in
from server.web import language, session
from server.web.security import limiter

pages = Blueprint("sign_in", __name__)


class SignInForm(FlaskForm):
    """A name and a password."""

    username = StringField(
        lazy_gettext("用户名"),
        [InputRequired(lazy_gettext("请填写用户名")), Length(max=60)],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "autofocus": True},
    )
    password = PasswordField(
        lazy_gettext("密码"),
        [InputRequired(lazy_gettext("请填写密码")), Length(max=200)],
        render_kw={"autocomplete": "current-password"},
    )


def _failed(response: Response) -> bool:
    return response.status_code != 302


@pages.get("/sign-in")
def page() -> ResponseReturnValue:
    """The form."""
    if current_user.is_authenticated:
        return redirect(url_for("web.home.page"))
    return render_template("sign_in.html", form=SignInForm())


@pages.post("/sign-in")
@limiter.limit("30 per 5 minutes", deduct_when=_failed)
def enter() -> ResponseReturnValue:
    """Sign in, and go on to where the person wanted to go."""
    form = SignInForm()
    if not form.validate():
        return render_template("sign_in.html", form=form), 422
    try:
        user = sign_in.authenticate(
            form.username.data or "", form.password.data or "", request.remote_addr
        )
    except sign_in.SignInFailed:
        flash(
            _("用户名或密码不对。连续输错 5 次，账号会暂停 10 分钟；忘记密码请联系管理员重设。"),
            "error",
        )
        return render_template("sign_in.html", form=form), 422
    session.begin(user)
    language.follow(user.language)
    return redirect(session.local_path(request.args.get("next")) or url_for("web.home.page"))


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    """Sign out."""
    sign_in.leave(current_user.id, request.remote_addr)
    session.end()
    flash(_("您已退出。"), "info")
    return redirect(url_for("web.sign_in.page"))
