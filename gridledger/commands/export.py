"""`gridledger export`: the ledger or the visits as a file."""

from __future__ import annotations

from pathlib import Path

import click

from gridledger.commands.server_data import Progress, application, data_option, operator_name


@click.command()
@click.argument("kind", type=click.Choice(["ledger", "visits"]))
@click.option("--area", required=True, help="区划代码，0 为全部 / Area code; 0: everything.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["xlsx", "csv", "geojson"]),
    default="xlsx",
    show_default=True,
    help="文件格式 / The file's format.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="写到哪个文件 / The file to write.",
)
@click.option("--unmasked", is_flag=True, help="不脱敏，要写明用途 / Unmasked; needs --reason.")
@click.option("--reason", default="", help="未脱敏导出的用途，记入审计日志 / Why unmasked.")
@data_option
def export(
    kind: str,
    area: str,
    format_: str,
    output: Path,
    unmasked: bool,
    reason: str,
    data: Path | None,
) -> None:
    """导出问题台账或走访记录；默认脱敏 / Export the ledger or the visits, masked by default.

    每次导出都记入审计日志；未脱敏的文件带水印。Each export leaves an audit row.

    \b
    例 / Example:
      gridledger export ledger --area 410103007 --format xlsx -o 台账.xlsx
      gridledger export visits --area 410103007901001 --format csv -o 走访.csv
      gridledger export ledger --area 410103007 -o 台账.xlsx --unmasked --reason 信访核查
    """
    if unmasked and not reason.strip():
        raise click.UsageError("--unmasked 要同时给出 --reason / --unmasked needs --reason")
    from server.core.access import Viewer
    from server.operations import export as exports
    from shared import ids

    with application(data):
        progress = Progress("导出 / Exporting")
        rows = exports.export(
            kind,
            Viewer("", "admin", ids.ROOT_AREA),
            area,
            format_,
            output,
            unmasked=unmasked,
            reason=reason,
            progress=progress,
            who=operator_name(),
        )
        progress.end()
    click.echo(f"{output}: {rows} 行 / rows")
