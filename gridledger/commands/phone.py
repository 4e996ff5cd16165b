"""`gridledger phone`: the phone app in a window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mobile.core.photo_queue import Network


@click.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="手机数据的目录 / The folder of the phone's data.",
)
@click.option(
    "--network",
    type=click.Choice(("wifi", "mobile", "none")),
    default="wifi",
    help="当作哪种网络（试流量设置用） / What to take the network for, to try the setting.",
)
def phone(data: Path | None, network: Network) -> None:
    """在电脑上打开手机应用 / Open the phone app in a window of a phone's size.

    \b
    例 / Example:
      gridledger phone
      gridledger phone --data ./phone-a
      gridledger phone --network mobile
    """
    from mobile import app
    from mobile.ui.ports import FixedNetwork

    app.run(data, FixedNetwork(network))
