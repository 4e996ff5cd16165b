"""`gridledger user`, `enrol`, `assign`, `unassign`: people, their grids and their phones."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from gridledger.commands.server_data import application, data_option, table

ROLES = ("grid_worker", "supervisor", "handler", "admin", "auditor")


@click.group()
def user() -> None:
    """账号：新建、列表、重设密码 / Accounts: add, list, password.

    \b
    例 / Example:
      gridledger user add wang --name 王芳 --role supervisor --area 410103007
    """


@user.command()
@click.argument("username")
@click.option("--name", required=True, help="姓名 / The person's name.")
@click.option(
    "--role",
    required=True,
    type=click.Choice(ROLES),
    help="网格员、网格长、责任单位、管理员、审计员 / The role.",
)
@click.option("--area", required=True, help="区划代码，0 为全部 / Area code; 0: everything.")
@click.option("--body", help="责任单位的代码（handler 必填）/ A handler's body.")
@click.option("--phone", help="电话 / Telephone.")
@click.option("--ask-password", is_flag=True, help="自己输入密码 / Type the password.")
@data_option
def add(
    username: str,
    name: str,
    role: str,
    area: str,
    body: str | None,
    phone: str | None,
    ask_password: bool,
    data: Path | None,
) -> None:
    """新建账号；不输入密码则生成一个，只显示一次 / Add an account.

    \b
    例 / Example:
      gridledger user add admin --name 管理员 --role admin --area 0
      gridledger user add li --name 李强 --role grid_worker --area 410103007901
    """
    from server.operations import accounts

    with application(data, create=True):
        password = _asked() if ask_password else None
        made, generated = accounts.add_user(username, name, role, area, password, body, phone)
        click.echo(f"账号 / Account: {made.username}（{made.name}）")
        if generated:
            click.echo(f"密码 / Password: {generated}")


@user.command("list")
@data_option
def list_(data: Path | None) -> None:
    """全部账号和他们的网格 / Every account and the grids it walks.

    \b
    例 / Example:
      gridledger user list
    """
    from server.core.access import Viewer
    from server.storage.database import db
    from server.storage.queries import people
    from shared import ids, vocabulary

    with application(data):
        viewer = Viewer("", "admin", ids.ROOT_AREA)
        walked = people.walked(db.session(), viewer)
        rows = [["账号 User", "姓名 Name", "角色 Role", "区划 Area", "网格 Grids"]]
        for one in people.accounts(db.session(), viewer):
            role = vocabulary.word(vocabulary.ROLES, one.role)
            grids = " ".join(walked.get(one.id, ())) or "—"
            rows.append([one.username, one.name, role, one.area_code, grids])
        table(rows)


@user.command()
@click.argument("username")
@click.option("--ask-password", is_flag=True, help="自己输入密码 / Type the password.")
@data_option
def password(username: str, ask_password: bool, data: Path | None) -> None:
    """重设密码并解锁账号 / Set a new password and unlock the account.

    \b
    例 / Example:
      gridledger user password wang
    """
    from server.operations import accounts

    with application(data):
        found = accounts.find_user(username)
        generated = accounts.set_password(found.id, _asked() if ask_password else None)
        click.echo(f"密码 / Password: {generated}" if generated else "已重设 / Password set")


def _address(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """An address that a phone can call: http(s)://host."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(c.isspace() for c in value):
        raise click.BadParameter(
            f"{value} 不是网址，要像 https://grid.example.gov.cn / not like https://..."
        )
    return value


@click.command()
@click.argument("username", metavar="USER")
@click.option(
    "--server",
    callback=_address,
    help="手机连接的地址（默认 GRIDLEDGER_PUBLIC_URL）/ The server's address.",
)
@data_option
def enrol(username: str, server: str | None, data: Path | None) -> None:
    """给一个人的一部手机发登记码：10 分钟内有效，只能用一次 / A one-time code for one phone.

    \b
    例 / Example:
      gridledger enrol li --server https://grid.example.gov.cn
    """
    import segno

    from server.operations import accounts
    from server.operations.clock import now_ms

    with application(data) as app:
        found = accounts.find_user(username)
        base = server or app.config["GRIDLEDGER"].public_url
        code = accounts.make_enrolment_code(found.id, base_url=base)
        minutes = max(1, round((code.expires_at - now_ms()) / 60_000))
        click.echo(f"{found.name}（{found.username}）")
        click.echo(
            f"登记码 / Code: {code.text}   {minutes} 分钟内有效 / good for {minutes} minutes"
        )
        click.echo(f"链接 / Link: {code.link}")
        if not base:
            click.echo(
                "链接里没有服务器地址：加 --server，或设 GRIDLEDGER_PUBLIC_URL / "
                "The link names no server: add --server or set GRIDLEDGER_PUBLIC_URL",
                err=True,
            )
        segno.make(code.link, error="m").terminal(sys.stdout, border=2, compact=True)


@click.command()
@click.argument("username", metavar="USER")
@click.option("--grid", required=True, help="网格代码，15 位 / The grid's code.")
@data_option
def assign(username: str, grid: str, data: Path | None) -> None:
    """让一个人从现在起负责一个网格 / Let a person walk a grid from now on.

    \b
    例 / Example:
      gridledger assign li --grid 410103007901001
    """
    from server.operations import accounts

    with application(data):
        found = accounts.find_user(username)
        accounts.assign(found.id, grid)
        click.echo(f"{found.name} 负责 {grid} / {found.username} walks {grid}")


@click.command()
@click.argument("username", metavar="USER")
@click.option("--grid", required=True, help="网格代码，15 位 / The grid's code.")
@data_option
def unassign(username: str, grid: str, data: Path | None) -> None:
    """收回网格；手机先交上手里的内容，再清除 / End an assignment.

    \b
    例 / Example:
      gridledger unassign li --grid 410103007901001
    """
    from server.operations import accounts

    with application(data):
        found = accounts.find_user(username)
        accounts.unassign(found.id, grid)
        click.echo(f"{found.name} 不再负责 {grid} / {found.username} no longer walks {grid}")


def _asked() -> str:
    text: str = click.prompt("密码 / Password", hide_input=True, confirmation_prompt=True)
    return text
