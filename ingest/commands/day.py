"""`scorebridge day`: look at a site's day, sign it, and see what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

import typer

from ingest import clock, day_letter
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.day_sources import watched_sources
from ingest.report_json import Json
from ingest.terminal import note, out, print_json, print_table
from records.errors import DecisionRefusedError
from review import day_actions
from review.day_words import PLACE_WORDS, span, state_words
from store import day_drift, day_figures, day_signing, day_sources
from store.day_figures import Figures, SiteDay, middle_and_most
from store.day_signing import DaySignOff, DaySnapshot
from store.day_sources import SourceDay

Site = Annotated[str, typer.Option("--site", help="Whose day.")]
Day = Annotated[str | None, typer.Option("--day", help="As 2026-03-02; default: today at the site.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="A site's day: its letter, its signature, what has changed since.", no_args_is_help=True)
    group.command("sign")(day_sign)
    group.command("list")(day_list)
    group.command("show")(day_show)
    group.command("letter")(day_letter_text)
    app.add_typer(group, name="day")


def day_sign(
    site: Site,
    name: Annotated[str, typer.Option(help="Your name, as you sign.")],
    day: Day = None,
    remark: Annotated[
        str, typer.Option("--note", help="Why you sign although something is open; no names of patients.")
    ] = "",
    sha256: Annotated[
        str | None, typer.Option(help="Hash of what you sign, as shown without this option; nothing is signed then.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what would be signed of a day, or sign it. Exit status 1 as long as it is not signed."""
    with opened(config) as clinic:
        chosen, zone = _day(clinic, site, day), clinic.settings.site_settings(site).zone
        watched, now = watched_sources(clinic.settings), clock.now()
        if sha256 is not None:
            signed = day_actions.sign_day(
                clinic.database, site=site, day=chosen, zone=zone, watched=watched, name=name, note=remark,
                sha256_seen=sha256, actor=clinic.actor, now=now,
            )  # fmt: skip
            note(f"{chosen} of {site} is signed as number {signed.sign_off_id}.")
            return
        with clinic.database.reading() as session:
            shown = day_signing.present(session, site=site, day=chosen, zone=zone, watched=watched, now=now)
    _print_snapshot(shown, shown.sha256, as_json=as_json)
    note(f"Nothing is signed yet. To sign exactly this: add --sha256 {shown.sha256}")
    raise typer.Exit(1)


def day_list(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """The days that were signed, newest signature first."""
    with opened(config) as clinic, clinic.database.reading() as session:
        sites = [one.id for one in clinic.settings.site if site in (None, one.id)]
        found = day_signing.sign_offs(session, sites=sites)
    for one in found if as_json else ():
        print_json(_signed_json(one))
    if not as_json:
        rows = [
            (
                one.sign_off_id, one.snapshot.site, one.snapshot.day, one.snapshot.figures.records,
                sum(item.count for item in one.snapshot.open), one.signed_name, f"{one.signed_at:%Y-%m-%d %H:%M}",
            )
            for one in found
        ]  # fmt: skip
        print_table("", ("number", "site", "day", "records", "open", "signed by", "at (UTC)"), rows)


def day_show(
    sign_off_id: Annotated[int, typer.Argument(help="Number of the signature.")],
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """A day as it was signed, and what has changed since. Exit status 1 if anything has."""
    with opened(config) as clinic, clinic.database.reading() as session:
        sites = [one.id for one in clinic.settings.site]
        signed = day_signing.sign_off(session, sign_off_id, sites=sites)
        changes = day_signing.changes_since(session, signed)
    if as_json:
        changed: list[Json] = [
            {"record": one.record_id, "before": one.before, "after": one.after, "other_values": one.has_other_values}
            for one in changes
        ]
        print_json(_signed_json(signed) | {"changes": changed})
    else:
        _print_snapshot(signed.snapshot, signed.sha256, as_json=False)
        out.print(f"Signed by {signed.signed_name} ({signed.signed_by}) at {signed.signed_at:%Y-%m-%d %H:%M} UTC.")
        if signed.note:
            out.print(f"Note: {signed.note}", markup=False)
        rows = [
            (
                one.record_id,
                PLACE_WORDS[one.before] if one.before else "not there",
                PLACE_WORDS[one.after] if one.after else "not there",
                "changed" if one.has_other_values else "",
            )
            for one in changes
        ]
        print_table("Changed since it was signed", ("record", "when signed", "now", "values or patient"), rows)
    if not signed.intact:
        note("What is kept is not what was signed: its hash differs.")
    raise typer.Exit(1 if changes or not signed.intact else 0)


def day_letter_text(site: Site, day: Day = None, config: Config = None) -> None:
    """Print the letter about a day as it would go out now; nothing is sent."""
    with opened(config) as clinic:
        chosen = _day(clinic, site, day)
        with clinic.database.reading() as session:
            made = day_letter.compose(session, clinic.settings, site, chosen, now=clock.now())
    out.print(f"Subject: {made.subject}\n\n{made.body}", markup=False)


def day_json(told: SiteDay) -> dict[str, Json]:
    """The figures of the dashboard, for programs."""
    seconds = middle_and_most(told.seconds_to_chart)
    return _figures_json(told.figures) | {
        "reports": len(told.reports),
        "pages": sum(report.pages for report in told.reports),
        "adds_up": told.adds_up,
        "waiting_of_other_days": told.waiting_before,
        "oldest_waiting_since": told.oldest_waiting.isoformat() if told.oldest_waiting else None,
        "seconds_to_chart": {"median": seconds[0], "most": seconds[1]} if seconds else None,
    }


def count_day(clinic: Clinic, site: str) -> SiteDay:
    """Today at a site."""
    today, zone = clinic.today(site, clock.now()), clinic.settings.site_settings(site).zone
    with clinic.database.reading() as session:
        return day_figures.of_day(session, site=site, day=today, zone=zone)


FIGURE_COLUMNS: Final = (
    "site", "reports", "records", "automatic", "reviewed", "waiting", "failed", "delivered", "sending", "held",
    "shadow", "time to chart",
)  # fmt: skip
SOURCE_COLUMNS: Final = ("site", "folder", "template", "reports", "records", "expected by", "state")


def figures_row(told: SiteDay) -> tuple[object, ...]:
    """The figures of a day, as the columns name them."""
    sums, seconds = told.figures, middle_and_most(told.seconds_to_chart)
    to_chart = f"{span(seconds[0])}, 95% in {span(seconds[1])}" if seconds else ""
    return (
        told.site, len(told.reports), sums.records, sums.automatic, sums.reviewed, sums.waiting, sums.failed,
        sums.delivered, sums.sending, sums.held, sums.shadow, to_chart,
    )  # fmt: skip


def list_sources(clinic: Clinic, days: Sequence[SiteDay]) -> list[SourceDay]:
    """Every source on these days, in the order of the settings."""
    told, now = {day.site: day for day in days}, clock.now()
    with clinic.database.reading() as session:
        held = day_drift.held_names(session)
    return [day_sources.of_day(told[one.site], one, held=held, now=now) for one in watched_sources(clinic.settings)]


def source_row(one: SourceDay) -> tuple[object, ...]:
    """One source, as the columns name it."""
    by = f"{one.source.expected_by:%H:%M}" if one.source.expected_by else ""
    words, _ = state_words(one, is_today=True)
    return (one.source.site, one.source.folder, " ".join(one.templates), one.reports, one.figures.records, by, words)


def source_json(one: SourceDay) -> dict[str, Json]:
    """One source, for programs."""
    return {
        "site": one.source.site,
        "folder": one.source.folder,
        "templates": list(one.templates),
        "reports": one.reports,
        "pages": one.pages,
        "records": one.figures.records,
        "automatic": one.figures.automatic,
        "in_review": one.figures.waiting,
        "unreadable": one.unreadable,
        "last_report": one.last_report.isoformat() if one.last_report else None,
        "expected_by": one.source.expected_by.isoformat("minutes") if one.source.expected_by else None,
        "state": one.state.value,
    }


def _figures_json(told: Figures) -> dict[str, Json]:
    return {
        "records": told.records, "automatic": told.automatic, "reviewed": told.reviewed, "in_review": told.waiting,
        "failed": told.failed, "delivered": told.delivered, "sending": told.sending, "held": told.held,
        "shadow": told.shadow,
    }  # fmt: skip


def _signed_json(one: DaySignOff) -> dict[str, Json]:
    return {
        "number": one.sign_off_id,
        "site": one.snapshot.site,
        "day": one.snapshot.day.isoformat(),
        "figures": _figures_json(one.snapshot.figures),
        "open": [{"kind": item.kind, "count": item.count} for item in one.snapshot.open],
        "sha256": one.sha256,
        "intact": one.intact,
        "note": one.note,
        "signed_name": one.signed_name,
        "signed_by": one.signed_by,
        "signed_at": one.signed_at.isoformat(),
    }


def _print_snapshot(shown: DaySnapshot, sha256: str, *, as_json: bool) -> None:
    if as_json:
        print_json({
            "site": shown.site, "day": shown.day.isoformat(), "figures": _figures_json(shown.figures),
            "open": [{"kind": item.kind, "count": item.count} for item in shown.open], "sha256": sha256,
        })  # fmt: skip
        return
    rows = [(name.replace("_", " "), count) for name, count in _figures_json(shown.figures).items()]
    print_table(f"{shown.site}, {shown.day}", ("", "count"), rows)
    for item in shown.open:
        out.print(f"Open: {item.sentence}", markup=False)
    out.print(f"SHA-256 {sha256}")


def _day(clinic: Clinic, site: str, day: str | None) -> date:
    if site not in {one.id for one in clinic.settings.site}:
        raise DecisionRefusedError(f"There is no site {site}.", next_step="Name one of the settings.")
    try:
        return date.fromisoformat(day) if day else clinic.today(site, clock.now())
    except ValueError:
        raise DecisionRefusedError("This is no day.", next_step="Write it as 2026-03-02.") from None
