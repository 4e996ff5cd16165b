"""`gridledger export`: the ledger or the visits as a file."""

from __future__ import annotations

from pathlib import Path

import click

from gridledger.commands.server_data import Progress, application, data_option, operator_name

FORMATS = ("xlsx", "csv", "geojson")


def _format_of(output: Path, chosen: str | None) -> str:
    """The format that was asked for, or that of the file's ending. The two must agree."""
    ending = output.suffix.lower().removeprefix(".")
    if chosen is None:
        if not ending:
            return FORMATS[0]
        if ending not in FORMATS:
            raise click.UsageError(
                f"认不出 .{ending}：文件名以 .xlsx、.csv 或 .geojson 结尾，或用 --format / "
                f"Unknown ending .{ending}: end the name in .xlsx, .csv or .geojson, or --format"
            )
        return ending
    if ending in FORMATS and ending != chosen:
        raise click.UsageError(
            f"--format {chosen} 与文件名 {output.name} 不符 / "
            f"--format {chosen} does not fit the name {output.name}"
        )
    return chosen


@click.command()
@click.argument("kind", type=click.Choice(["ledger", "visits"]))
@click.option("--area", required=True, help="区划代码，0 为全部 / Area code; 0: everything.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="文件格式，默认看文件名 / The file's format; by default that of its name.",
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
    format_: str | None,
    output: Path,
    unmasked: bool,
    reason: str,
    data: Path | None,
) -> None:
    """导出问题台账或走访记录；默认脱敏 / Export the ledger or the visits, masked by default.

    每次导出都记入审计日志；未脱敏的文件带水印。Each export leaves an audit row.

    \b
    例 / Example:
      gridledger export ledger --area 410103007 -o 台账.xlsx
      gridledger export visits --area 410103007901001 -o 走访.csv
      gridledger export ledger --area 410103007 -o 台账.xlsx --unmasked --reason 信访核查
    """
    format_ = _format_of(output, format_)
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
