"""`template twin`: a synthetic twin of a real report, and a golden case made of it."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ingest.commands.options import Config
from ingest.commands.template_choice import chosen_template, content_of, reading_settings
from ingest.dry_read import kind_of
from ingest.golden_case_file import write_case
from ingest.terminal import note
from ingest.workers import ReaderPool
from parsers.instrument_library import load_instruments
from parsers.template import Kind
from parsers.twin.table_twin import twin_of_csv
from parsers.twin.twin import Twin, TwinRequest, twin_of_pdf
from records.errors import TemplateError


def twin(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A real report: PDF or CSV. It is only read.")],
    site: Annotated[str, typer.Option("--site", help="The clinic, as in the roster's clinic column.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the twin is written.")],
    template: Annotated[
        str | None, typer.Option("--template", help="The report's template: a file, or a published ID[@REV].")
    ] = None,
    case: Annotated[
        Path | None, typer.Option("--case", help="Also write a golden case into this folder; needs --template.")
    ] = None,
    font: Annotated[
        Path | None, typer.Option("--font", help="A TrueType file for letters the standard typefaces lack.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draw the same inventions again; else they are random.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
    config: Config = None,
) -> None:
    """Make a synthetic twin of a real report: same layout and type, invented people and scores.

    The twin is drawn from nothing. Without a template only words that many reports print stay; all else is masked.
    """
    if case is not None and template is None:
        raise TemplateError("A case needs to know the records.", next_step="Add --template.")
    if output.exists() and not overwrite:
        raise TemplateError(f"{output} exists.", next_step="Name another file, or add --overwrite.")
    reading, site_settings = reading_settings(config, site)
    request = TwinRequest(
        template=chosen_template(template, config) if template is not None else None,
        instruments=dict(load_instruments()),
        site=site,
        today=datetime.now(ZoneInfo(site_settings.time_zone)).date(),
        seed=secrets.randbits(64) if seed is None else seed,
        typeface=content_of(font) if font is not None else None,
    )
    content = content_of(report)
    is_table = kind_of(report.name) is Kind.CSV and not content.startswith(b"%PDF-")
    pool = ReaderPool(reading.model_copy(update={"workers": 1}))
    try:
        made: Twin = pool.call(twin_of_csv if is_table else twin_of_pdf, content, request)
    finally:
        pool.close()
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(made.content)
    if case is not None:
        write_case(case, made, site=site, suffix=".csv" if is_table else ".pdf")
    _tell(made, output, case)


def _tell(made: Twin, output: Path, case: Path | None) -> None:
    note(f"{output}: {len(made.records)} invented records, {made.no_score} rows without a score.")
    for remark in made.remarks:
        note(remark)
    if case is not None:
        note(f"{case}: a golden case. Next: scorebridge template test {case.parent.parent}")
    note("Look at it before it leaves the clinic: what the template itself spells out stays as printed.")
