"""`read` and `match`: try reports and people against templates and a roster; nothing is stored or sent."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ingest.dry_read import DryRead
from ingest.report_json import Json, person_json
from ingest.roster_file import RosterFile
from ingest.roster_sources import read_file
from ingest.settings import ReadingSettings, SiteSettings, find_config, load_settings
from ingest.template_folder import load_templates
from ingest.terminal import note, print_json, print_table, progress
from ingest.workers import ReaderPool
from matching.decision import decide
from matching.people import identity_from_person
from matching.roster_index import RosterIndex
from records.decision import MatchDecision, MatchGrade
from records.errors import DocumentError, RosterError, SettingsError
from records.finding import sentence
from records.patient import LinkPolicy
from review.evidence_words import LABELS, words_of

_COLUMNS = ("record_id", "name", "family", "given", "birth_date", "mrn", "sex")
_LONGEST_BAR = 20
_FURTHER_COLUMNS = ("middle", "suffix", "phone", "clinician", "visit_date")

Site = Annotated[str, typer.Option("--site", help="The clinic, as in the roster's clinic column.")]
RosterPath = Annotated[Path, typer.Option("--roster", help="The clinic's patients as CSV.")]
Threshold = Annotated[float, typer.Option(help="Least probability of a certain match.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output instead of a table.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("read")(read)
    app.command("match")(match)


def read(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Reports: PDF or CSV files.")],
    site: Site,
    roster: RosterPath,
    templates: Annotated[
        list[Path] | None, typer.Option(help="Folder of templates; may be repeated. Default: the configured folder.")
    ] = None,
    threshold: Threshold = 0.999,
    as_json: AsJson = False,
    config: Annotated[Path | None, typer.Option(help="Settings file, for the time zone and default templates.")] = None,
    workers: Annotated[int, typer.Option(help="Reading processes.")] = 1,
) -> None:
    """Read reports and match their patients, through every stage except storing and sending.

    Exit status 0 if every file is parsed with nothing left to a person, else 1.
    """
    folders, reading, site_settings = _surroundings(templates, config, site)
    found = tuple(file.template for file in load_templates(folders))
    if not found:
        raise SettingsError("There is no template in these folders.", next_step="Name another with --templates.")
    people = _roster(roster, site_settings)
    today = datetime.now(ZoneInfo(site_settings.time_zone)).date()
    pool = ReaderPool(reading.model_copy(update={"workers": workers}))
    desk = DryRead(
        site=site,
        templates=found,
        index=RosterIndex.build(people.roster),
        policy=LinkPolicy(threshold=_checked(threshold)),
        pool=pool,
        today=today,
    )
    results: list[dict[str, Json]] = []
    try:
        with progress("Reading", len(paths)) as bar:
            for path in paths:
                result = desk.read(path)
                results.append(result)
                if as_json:
                    print_json(result)
                bar.advance(bar.task_ids[0])
    finally:
        pool.close()
    if not as_json:
        _show(results)
    raise typer.Exit(0 if all(result["status"] == "parsed" for result in results) else 1)


def match(
    roster: RosterPath,
    site: Site,
    people: Annotated[
        Path | None,
        typer.Option(
            help=f"CSV with {','.join(_COLUMNS)} and, where known, {','.join(_FURTHER_COLUMNS)}. Default: ask."
        ),
    ] = None,
    threshold: Threshold = 0.999,
    explain: Annotated[bool, typer.Option(help="Show the evidence for every candidate.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide who people are, instead of reports.

    Exit status 0 if everybody is certain, else 1.
    """
    index = RosterIndex.build(_roster(roster, _site_settings(site)).roster)
    policy = LinkPolicy(threshold=_checked(threshold))
    rows = _asked() if people is None else _people(people)
    decisions: list[tuple[str, MatchDecision]] = []
    with progress("Matching", len(rows)) as bar:
        for row in rows:
            decision = _decision(row, index, policy)
            decisions.append((row["record_id"], decision))
            if as_json:
                print_json(person_json(row["record_id"], decision, explain=explain))
            bar.advance(bar.task_ids[0])
    if not as_json:
        print_table(
            "",
            ("record", "grade", "patient", "probability", "runner-up", "why not certain"),
            [
                (
                    name,
                    d.grade.value,
                    d.patient_id,
                    f"{d.probability:.4f}",
                    f"{d.runner_up:.4f}",
                    " ".join(sentence(code) for code in d.reasons),
                )
                for name, d in decisions
            ],
        )
        if explain:
            _explain(decisions)
    raise typer.Exit(0 if all(d.grade is MatchGrade.CERTAIN for _, d in decisions) else 1)


def _decision(row: dict[str, str], index: RosterIndex, policy: LinkPolicy) -> MatchDecision:
    try:
        identity = identity_from_person(row)
    except ValueError:
        # A birth date that cannot be read may be anybody's: no candidate is better than the others.
        return MatchDecision(
            grade=MatchGrade.CERTAINLY_NOT,
            patient_id=None,
            probability=0.0,
            runner_up=0.0,
            candidates=(),
            reasons=("birth-date-unreadable",),
        )
    return decide(identity, index, policy)


def _surroundings(
    templates: list[Path] | None, config: Path | None, site: str
) -> tuple[list[Path], ReadingSettings, SiteSettings]:
    try:
        settings = load_settings(find_config(config))
    except SettingsError:
        if config is not None or not templates:
            raise
        return templates, ReadingSettings(), SiteSettings(id=site)
    return templates or [settings.templates_folder], settings.reading, settings.site_settings(site)


def _site_settings(site: str) -> SiteSettings:
    """What the settings say of a site's roster, where there are any."""
    try:
        return load_settings(find_config(None)).site_settings(site)
    except SettingsError:
        return SiteSettings(id=site)


def _roster(path: Path, site: SiteSettings) -> RosterFile:
    file = read_file(site, path)
    for warning in file.warnings[:20]:
        note(f"{path}: {warning}")
    return file


def _checked(threshold: float) -> float:
    if not 0.5 < threshold < 1:
        raise SettingsError("--threshold lies between 0.5 and 1.", next_step="0.999 is the default.")
    return threshold


def _people(path: Path) -> list[dict[str, str]]:
    from parsers.readers import table_file

    try:
        header, *rows = table_file.read(path.read_bytes()).rows
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror}.", next_step="Check the path.") from None
    except DocumentError as error:
        raise RosterError(f"{path}: {error.message}", next_step=error.next_step) from None
    if "record_id" not in header.cells:
        raise RosterError(
            f"{path} has no column record_id in its first line.",
            next_step=f"The columns are {','.join(_COLUMNS)} and, where known, {','.join(_FURTHER_COLUMNS)}.",
        )
    return [dict(zip(header.cells, (*row.cells, *[""] * len(header.cells)), strict=False)) for row in rows]


def _asked() -> list[dict[str, str]]:
    """One person, asked for at a prompt or read as a CSV line from standard input: never from the command line,
    which other users of the machine can see."""
    if not sys.stdin.isatty():
        row = next(csv.reader(sys.stdin), None) or []
        return [dict(zip(_COLUMNS, ["1", *row, *[""] * len(_COLUMNS)], strict=False))]
    asked = {"name": _ask("name")}
    if not asked["name"]:
        asked |= {part: _ask(part) for part in ("family", "given")}
    asked |= {column: _ask(column) for column in ("birth_date", "mrn", "sex")}
    return [{"record_id": "1", **asked}]


def _ask(column: str) -> str:
    answer: str = typer.prompt(column.replace("_", " "), default="", show_default=False)
    return answer


def _explain(decisions: list[tuple[str, MatchDecision]]) -> None:
    """The waterfall of every candidate: what each identifier says, in words and as a bar; they add up to the sum."""
    for name, decision in decisions:
        for candidate in decision.candidates:
            bars: list[tuple[object, ...]] = [
                (LABELS.get(e.identifier, e.identifier), words_of(e), f"{e.weight:+.2f}", _bar(e.weight))
                for e in candidate.evidence
            ]
            bars.append(("Sum", "", f"{candidate.score:+.2f}", _bar(candidate.score)))
            why = " ".join(sentence(code) for code in candidate.reasons)
            title = f"{name}: {candidate.patient_id}, {candidate.grade.value}, {candidate.probability:.6f}. {why}"
            print_table(title, ("", "compared", "log2 weight", ""), bars)


def _bar(weight: float) -> str:
    """A block for two bits; what speaks against is hollow."""
    return ("█" if weight >= 0 else "░") * min(round(abs(weight) / 2), _LONGEST_BAR)


def _show(results: list[dict[str, Json]]) -> None:
    rows: list[tuple[object, ...]] = []
    for result in results:
        balance = result["balance"]
        assert isinstance(balance, dict)
        reasons = result["reasons"]
        assert isinstance(reasons, list)
        why = [str(result["message"])] if result["message"] else [sentence(str(code)) for code in reasons]
        rows.append(
            (
                result["file"],
                result["status"],
                result["template"],
                *(balance[name] for name in ("printed", "confirmed", "waiting", "duplicate", "no_score")),
                " ".join(why),
            )
        )
    columns = ("file", "status", "template", "printed", "confirmed", "waiting", "duplicate", "no score", "why")
    print_table("", columns, rows)
    waiting = [
        (record["page"], record["instrument"], ", ".join(str(code) for code in codes))
        for result in results
        for record in _records(result)
        if record["decision"] == "review" and isinstance(codes := record["reasons"], list)
    ]
    if waiting:
        print_table("Waiting for a person", ("page", "instrument", "reasons"), waiting)


def _records(result: dict[str, Json]) -> list[dict[str, Json]]:
    records = result["records"]
    assert isinstance(records, list)
    return [record for record in records if isinstance(record, dict)]
