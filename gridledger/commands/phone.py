"""`gridledger phone`: the phone app in a window."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="手机数据的目录 / The folder of the phone's data.",
)
def phone(data: Path | None) -> None:
    """在电脑上打开手机应用 / Open the phone app in a window of a phone's size.

    \b
    例 / Example:
      gridledger phone
      gridledger phone --data ./phone-a
    """
    from mobile import app

    app.run(data)
