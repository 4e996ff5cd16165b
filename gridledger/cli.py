"""The command line. Commands are imported when they are called, so that help is quick, the phone
needs no Flask and the server no Kivy.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

# name -> (module, attribute, one line of help)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "serve": ("gridledger.commands.serve", "serve", "启动服务器 / Run the server"),
    "demo": ("gridledger.demo.command", "demo", "演示：示例数据和服务器 / A seeded demo district"),
    "simulate": (
        "gridledger.simulate.command",
        "simulate",
        "故障模拟：一条也不丢 / Faults, and the proof",
    ),
    "phone": ("gridledger.commands.phone", "phone", "在电脑上打开手机应用 / The phone app here"),
    "db": ("gridledger.commands.db", "db", "数据库：升级、重建搜索 / Upgrade, reindex"),
    "backup": ("gridledger.commands.backup", "backup", "备份数据库 / Back the database up"),
    "restore": ("gridledger.commands.backup", "restore", "恢复备份 / Restore a backup"),
    "compact": ("gridledger.commands.backup", "compact", "清理旧痕迹 / Forget old tombstones"),
    "photos": ("gridledger.commands.photos", "photos", "照片：清理、检查 / Photos: sweep, check"),
    "tick": ("gridledger.commands.tick", "tick", "到点的事：提醒、超期 / Do what is due"),
    "categories": (
        "gridledger.commands.categories",
        "categories",
        "问题类别：内置、导入、导出 / Categories",
    ),
    "body": ("gridledger.commands.body", "body", "责任单位：列表、电话 / Responsible units"),
    "campaigns": (
        "gridledger.commands.campaigns",
        "campaigns",
        "专项走访：要问的问题 / Campaigns",
    ),
    "calendar": ("gridledger.commands.calendar", "calendar", "工作日历 / The work calendar"),
    "user": ("gridledger.commands.user", "user", "账号：新建、列表、密码 / Accounts"),
    "enrol": ("gridledger.commands.user", "enrol", "给手机发登记码 / A code to enrol a phone"),
    "assign": ("gridledger.commands.user", "assign", "分配网格 / Let a person walk a grid"),
    "unassign": ("gridledger.commands.user", "unassign", "收回网格 / End an assignment"),
    "device": ("gridledger.commands.device", "device", "手机：列表、停用 / Phones"),
    "area": ("gridledger.commands.area", "area", "区划：导入 / Areas: import"),
    "import-roster": (
        "gridledger.commands.import_roster",
        "import_roster",
        "导入住户名册 / Import a household roster",
    ),
    "import-ledger": (
        "gridledger.commands.import_ledger",
        "import_ledger",
        "导入问题台账 / Import a ledger from Excel",
    ),
    "import-unsent": (
        "gridledger.commands.import_unsent",
        "import_unsent",
        "导入手机导出的未发送内容 / Take in a phone's unsent work",
    ),
    "export": ("gridledger.commands.export", "export", "导出台账、走访 / Export ledger or visits"),
    "export-jobs": (
        "gridledger.commands.export_jobs",
        "export_jobs",
        "做完排队的导出 / Make the exports that wait",
    ),
}

# What to install when a command's libraries are missing.
EXTRA_OF = {"phone": "mobile"}


class Commands(click.Group):
    """Looks commands up in COMMANDS, and says expected errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        try:
            found: click.Command = getattr(importlib.import_module(module), attribute)
        except (ModuleNotFoundError, AttributeError) as error:
            _fail_missing(cmd_name, error)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令 / Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click says these itself
        except ModuleNotFoundError as error:
            _fail_missing(ctx.invoked_subcommand or "", error)
        except Exception as error:
            text = _explained(error)
            if text is None:
                raise
            click.echo(f"错误 / Error: {text}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gridledger", message="gridledger %(version)s")
def main() -> None:
    """网格台账：入户走访离线记录，问题进一本台账，一条也不丢。

    Door-to-door visits recorded offline, one problem ledger, nothing lost.

    \b
    例 / Example:
      gridledger demo
      gridledger serve --data /srv/gridledger
      gridledger COMMAND --help
    """


def _explained(error: Exception) -> str | None:
    """An expected error in one line; None for one that nobody foresaw."""
    known = _known_errors()
    if isinstance(error, known["Trouble"]):
        return _of_code(error.code, error.detail)
    if isinstance(error, known["Refused"]):
        return _of_code(error.code, f"{error.field} {error.detail}".strip())
    if isinstance(error, known["Database"]):
        first = str(getattr(error, "orig", None) or error).strip().splitlines()[:1]
        return f"数据库不可用 / The database is not available: {''.join(first)}"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return None


def _of_code(code: str, detail: str) -> str:
    from shared import protocol

    title = f"{protocol.title(code)} / {protocol.title(code, 'en')}"
    return detail if " / " in detail else f"{title}: {detail}" if detail else title


def _known_errors() -> dict[str, Any]:
    """The error classes of what has been imported so far; importing more would explain nothing."""
    found: dict[str, Any] = {"Trouble": (), "Refused": (), "Database": ()}
    for name, module, attribute in (
        ("Trouble", "server.errors", "Trouble"),
        ("Refused", "shared.reconcile", "Refused"),
        ("Database", "sqlalchemy.exc", "DBAPIError"),
    ):
        if module in sys.modules:
            found[name] = getattr(sys.modules[module], attribute)
    return found


def _fail_missing(command: str, error: Exception) -> Any:
    """A library of an extra is not installed, or a command is not there: say which."""
    missing = getattr(error, "name", None) or ""
    if isinstance(error, ModuleNotFoundError) and not missing.startswith(("gridledger", "server")):
        extra = EXTRA_OF.get(command, "server")
        text = (
            f"缺少 {missing}，请安装：pip install 'gridledger[{extra}]' / "
            f"{missing} is missing: pip install 'gridledger[{extra}]'"
        )
    else:
        text = f"此版本没有这个命令：{command} / This version has no such command ({error})"
    click.echo(f"错误 / Error: {text}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
