"""Sign in and out."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from server.errors import Trouble
from server.operations import accounts, sign_in
from server.web import demo_accounts, language, session, words
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


class PasswordForm(FlaskForm):
    """A new password for oneself."""

    current = PasswordField(
        lazy_gettext("现在的密码"),
        [InputRequired(lazy_gettext("请填写现在的密码")), Length(max=200)],
        render_kw={"autocomplete": "current-password", "autofocus": True},
    )
    new = PasswordField(
        lazy_gettext("新密码"),
        [InputRequired(lazy_gettext("请填写新密码")), Length(max=200)],
        description=lazy_gettext("至少 8 位，有字母和数字。"),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        lazy_gettext("再写一遍新密码"),
        [EqualTo("new", lazy_gettext("两遍写得不一样"))],
        render_kw={"autocomplete": "new-password"},
    )


def _form(form: SignInForm) -> str:
    return render_template("sign_in.html", form=form, demo=demo_accounts.listed())


def _failed(response: Response) -> bool:
    return response.status_code != 302


@pages.get("/sign-in")
def page() -> ResponseReturnValue:
    """The form."""
    if current_user.is_authenticated:
        return redirect(url_for("web.home.page"))
    return _form(SignInForm())


@pages.post("/sign-in")
@limiter.limit("30 per 5 minutes", deduct_when=_failed)
def enter() -> ResponseReturnValue:
    """Sign in, and go on to where the person wanted to go."""
    form = SignInForm()
    if not form.validate():
        return _form(form), 422
    try:
        user = sign_in.authenticate(
            form.username.data or "", form.password.data or "", request.remote_addr
        )
    except sign_in.SignInFailed:
        flash(
            _("用户名或密码不对。连续输错 5 次，账号会暂停 10 分钟；忘记密码请联系管理员重设。"),
            "error",
        )
        return _form(form), 422
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


@pages.route("/password", methods=["GET", "POST"])
@limiter.limit("30 per 5 minutes", methods=["POST"], deduct_when=_failed)
def own_password() -> ResponseReturnValue:
    """Change one's own password; every other browser is signed out by it."""
    form = PasswordForm()
    if request.method == "GET":
        return render_template("password.html", form=form)
    if form.validate():
        name, me = current_user.username, current_user.id
        try:
            user = sign_in.authenticate(name, form.current.data or "", request.remote_addr)
            accounts.set_password(me, form.new.data or "", by=me)
        except sign_in.SignInFailed:
            form.current.errors = [_("现在的密码不对")]
        except Trouble as trouble:
            form.new.errors = [words.in_language(trouble.detail)]
        else:
            session.begin(user)
            flash(_("密码已改。别的浏览器上已退出。"), "success")
            return redirect(url_for("web.home.page"))
    return render_template("password.html", form=form), 422
