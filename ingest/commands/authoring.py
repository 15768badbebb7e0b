"""`template`: draft, test, explain, list, publish, hold and roll back report templates; `replay` has its own module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from ingest import clock
from ingest.clinic import opened
from ingest.commands.options import AsJson, Config
from ingest.commands.replaying import replay
from ingest.commands.template_choice import content_of, reading_settings
from ingest.commands.template_explaining import show_explanation, write_picture
from ingest.commands.twinning import twin
from ingest.dry_read import kind_of
from ingest.form_folders import check_before_publishing, form_folders, neighbours
from ingest.golden import differences, golden_cases
from ingest.published_templates import publish as publish_file
from ingest.published_templates import roll_back
from ingest.report_json import Json
from ingest.template_folder import load_template, load_templates
from ingest.terminal import note, out, print_json, print_table, progress
from ingest.workers import ReaderPool
from parsers.drafting.draft import Draft, Sample, draft_template
from parsers.explanation import explain as explain_file
from parsers.instrument_library import load_instruments
from parsers.reading import ReadingRequest
from records.errors import TemplateError
from records.layout import LayoutChange
from store import signatures
from store import templates as template_states
from store.database import Session
from store.signatures import Look
from store.templates import TemplateState

Site = Annotated[str, typer.Option("--site", help="The clinic, as in the roster's clinic column.")]
Revision = Annotated[str, typer.Argument(metavar="ID[@REV]", help="A template; without @REV its highest revision.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="Report templates: draft, test, explain, publish.", no_args_is_help=True)
    group.command("draft")(draft)
    group.command("test")(try_forms)
    group.command("explain")(explain)
    group.command("twin")(twin)
    group.command("list")(list_templates)
    group.command("publish")(publish)
    group.command("hold")(hold)
    group.command("release")(release)
    group.command("replay")(replay)
    group.command("rollback")(rollback)
    app.add_typer(group, name="template")


def _layout_name(output: Path) -> str:
    """What to call the layout: the file's name, or the folder's where every form's file is called template.yaml."""
    return output.resolve().parent.name if output.stem == "template" else output.stem


def draft(
    samples: Annotated[list[Path], typer.Argument(metavar="SAMPLE…", help="Reports of one layout: PDF or CSV.")],
    site: Site,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the template is written.")],
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
    config: Config = None,
) -> None:
    """Draft a template from one or more reports of a layout.

    Every guess carries its reason in a comment. Exit status 0 if the draft reads everything without a doubt, else 1.
    """
    if output.exists() and not overwrite:
        raise TemplateError(f"{output} exists.", next_step="Name another file, or add --overwrite.")
    reading, site_settings = reading_settings(config, site)
    today = datetime.now(ZoneInfo(site_settings.time_zone)).date()
    taken = tuple(Sample(name=path.name, content=content_of(path), kind=kind_of(path.name)) for path in samples)
    pool = ReaderPool(reading.model_copy(update={"workers": 1}))
    try:
        drafted = pool.call(draft_template, taken, site=site, today=today, name=_layout_name(output))
    finally:
        pool.close()
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(drafted.text, encoding="utf-8")
    _show_draft(drafted, output, samples[0], site)
    raise typer.Exit(0 if not drafted.waiting and not drafted.unclaimed else 1)


def _show_draft(drafted: Draft, output: Path, sample: Path, site: str) -> None:
    columns = ("sample", "records", "without score", "would wait", "unclaimed words", "why")
    print_table(
        str(output),
        columns,
        [(t.sample, t.records, t.no_score, t.waiting, t.unclaimed, ", ".join(t.reasons)) for t in drafted.trials],
    )
    for remark in drafted.remarks:
        note(remark)
    note(f"Next: scorebridge template explain {sample} --template {output} --site {site} --png page.png")


def try_forms(
    forms: Annotated[
        list[Path] | None, typer.Argument(metavar="[FORM_FOLDER…]", help="Forms, or folders of forms. Default: here.")
    ] = None,
    config: Config = None,
) -> None:
    """Read the golden cases of forms and print a diff of whatever differs. Exit status 1 if anything does."""
    folders = form_folders(forms or [Path()])
    reading, _ = reading_settings(config, "")
    pool = ReaderPool(reading)
    passed, failed, without = 0, 0, 0
    try:
        work = [(form, golden_cases(form)) for form in folders]
        with progress("Testing", sum(len(cases) for _, cases in work)) as bar:
            for form, cases in work:
                template = load_template(form / "template.yaml").template
                others = [other for other in neighbours(form) if other.id != template.id]
                without += not cases
                for case in cases:
                    found = differences(case, [*others, template], pool.read)
                    for line in found:
                        out.print(line, markup=False, style=_COLOURS.get(line[:1], ""))
                    failed, passed = failed + bool(found), passed + (not found)
                    bar.advance(bar.task_ids[0])
    finally:
        pool.close()
    note(f"{passed} cases read as expected, {failed} differ; {without} of {len(folders)} forms have no case.")
    raise typer.Exit(1 if failed else 0)


_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def explain(
    file: Annotated[Path, typer.Argument(help="A report: PDF or CSV.")],
    template: Annotated[Path, typer.Option("--template", help="The template's file.")],
    site: Site,
    png: Annotated[Path | None, typer.Option(help="Write a page with everything found drawn over it.")] = None,
    page: Annotated[int, typer.Option(help="Page of the picture.")] = 1,
    records: Annotated[int, typer.Option(help="How many records to show field by field.")] = 3,
    masked: Annotated[
        bool, typer.Option("--masked/--unmasked", help="Show x and 9 in place of letters and digits, or patients.")
    ] = True,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what a template makes of a report: each field, where it was looked for and found, and what is left over.

    Patients are masked, on the picture too, unless --unmasked is given.

    Exit status 0 if the template fits and nothing waits for a person, else 1.
    """
    reading, site_settings = reading_settings(config, site)
    wanted = load_template(template).template
    content = content_of(file)
    request = ReadingRequest(
        kind=kind_of(file.name),
        templates=(wanted,),
        instruments=dict(load_instruments()),
        site=site,
        today=datetime.now(ZoneInfo(site_settings.time_zone)).date(),
    )
    pool = ReaderPool(reading.model_copy(update={"workers": 1}))
    try:
        found = pool.call(explain_file, content, wanted, request)
        clean = show_explanation(found, wanted, records=records, masked=masked, as_json=as_json)
        if png is not None:
            write_picture(png, found, wanted, content, pool, page=page, masked=masked)
    finally:
        pool.close()
    raise typer.Exit(0 if clean else 1)


def list_templates(as_json: AsJson = False, config: Config = None) -> None:
    """List the published templates, how far each is trusted, and what has changed in what it reads."""
    with opened(config) as clinic:
        folder = clinic.settings.templates_folder
        files = load_templates([folder]) if folder.exists() else ()
        with clinic.database.reading() as session:
            states = template_states.states(session)
            hashes = template_states.hashes(session)
            looks = {file.template.name: _look(session, file.template.name) for file in files}
    rows: list[tuple[str, int, str, str, str]] = []
    for file in files:
        key = (file.template.id, file.template.revision)
        altered = key in hashes and hashes[key] != file.sha256
        state = "altered" if altered else states.get(key, TemplateState.DRAFT).value
        rows.append((*key, state, file.template.title, str(file.path)))
    if as_json:
        for name, revision, state, title, path in rows:
            changed: list[Json] = [_change_json(look, change) for look, change in looks[f"{name}@{revision}"]]
            print_json(
                {"id": name, "revision": revision, "state": state, "title": title, "path": path, "changes": changed}
            )
    else:
        print_table("", ("template", "revision", "state", "title", "file"), rows)
        _show_changes(looks)
        if any(row[2] == "altered" for row in rows):
            note("An altered file is held: publish the change as a new revision, or restore the file.")
    raise typer.Exit(1 if any(row[2] in ("altered", "held") for row in rows) else 0)


def _look(session: Session, name: str) -> list[tuple[Look, LayoutChange]]:
    """What has drifted and waits for a person; else what is worth a note in the latest reading."""
    looks = signatures.drifted(session, name) or signatures.latest(session, name)
    told = {change.sentence: (look, change) for look in reversed(looks) for change in look.changes}
    return list(reversed(told.values()))


def _change_json(look: Look, change: LayoutChange) -> dict[str, Json]:
    return {
        "kind": change.kind.value,
        "sentence": change.sentence,
        "holds": change.holds,
        "report_id": look.report_id,
        "page": change.region.page if change.region else None,
        "region": list(change.region.box) if change.region else None,
    }


def _show_changes(looks: Mapping[str, Sequence[tuple[Look, LayoutChange]]]) -> None:
    for name, changed in looks.items():
        for look, change in changed:
            weight = "changed" if change.holds else "noted"
            note(f"{name} {weight}, report {look.report_id} of {look.site}: {change.sentence}")


def publish(
    file: Annotated[Path, typer.Argument(help="The template's file; its golden cases are in the folder beside it.")],
    shadow: Annotated[bool, typer.Option("--shadow", help="Read with it, but send nothing without a person.")] = False,
    forms: Annotated[
        list[Path] | None, typer.Option("--forms", help="More forms whose reports it must not fit; repeatable.")
    ] = None,
    config: Config = None,
) -> None:
    """Publish a revision, after its golden cases were read without a difference and it fits no other form's."""
    with opened(config) as clinic:
        template = load_template(file).template
        folder = clinic.settings.templates_folder
        in_use = [known.template for known in load_templates([folder])] if folder.exists() else []
        pool = ReaderPool(clinic.settings.reading)
        try:
            cases = check_before_publishing(file, template, in_use, pool, also=form_folders(forms or []))
        finally:
            pool.close()
        state = TemplateState.SHADOW if shadow else TemplateState.LIVE
        publish_file(clinic.database, folder, file, state=state, actor=clinic.actor, now=clock.now())
    note(f"{template.name} is published and {state.value}; {cases} golden cases passed.")
    if not cases:
        note("It has no golden case: keep one, so that a later change cannot break it unnoticed.")


def rollback(
    template: Annotated[str, typer.Argument(metavar="ID", help="A published template.")],
    to: Annotated[int, typer.Option("--to", help="The revision whose contents are wanted back.")],
    shadow: Annotated[bool, typer.Option("--shadow", help="Read with it, but send nothing without a person.")] = False,
    config: Config = None,
) -> None:
    """Publish the contents of an earlier revision as the next one, at once; its golden cases passed when it was new."""
    with opened(config) as clinic:
        state = TemplateState.SHADOW if shadow else TemplateState.LIVE
        file = roll_back(
            clinic.database,
            clinic.settings.templates_folder,
            template,
            to=to,
            state=state,
            actor=clinic.actor,
            now=clock.now(),
        )
    note(f"{template}@{to} is published again as {file.template.name} and {state.value}.")


def hold(template: Revision, config: Config = None) -> None:
    """Stop a template: what it reads waits for a person until it is released."""
    _set_state(template, TemplateState.HELD, config)


def release(template: Revision, config: Config = None) -> None:
    """Let a held or shadow template's records go out again; what its reports look like now is usual from here on."""
    _set_state(template, TemplateState.LIVE, config)


def _set_state(name: str, state: TemplateState, config: Path | None) -> None:
    template_id, _, wanted = name.partition("@")
    if wanted and not wanted.isdecimal():
        raise TemplateError(f"{name}: a revision is a number.", next_step="Write it like phq9-sheet@2.")
    with opened(config) as clinic, clinic.database.session() as session:
        revisions = [revision for known, revision in template_states.states(session) if known == template_id]
        if not revisions:
            raise TemplateError(f"No template {template_id} is published.", next_step="Run: scorebridge template list")
        revision = int(wanted) if wanted else max(revisions)
        if state is TemplateState.LIVE:
            template_states.release(session, template_id, revision, actor=clinic.actor, now=clock.now())
        else:
            template_states.set_state(session, template_id, revision, state, actor=clinic.actor, now=clock.now())
    note(f"{template_id}@{revision} is {state.value}.")
