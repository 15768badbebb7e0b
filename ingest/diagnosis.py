"""What `doctor` checks: everything a clinic's operator would look at first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.modes_in_force import with_chosen_modes
from ingest.published_templates import PublishedTemplates
from ingest.roster_freshness import freshness
from ingest.service import check_ready
from ingest.template_folder import load_templates
from portal.connections import configure
from records.errors import ScorebridgeError, SettingsError
from records.submission import delivery_sentence
from store import audit, balance, outbox, users

_LEAST_FREE = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    finding: str
    next_step: str = ""


def diagnose(config: Path | None) -> list[Check]:
    """Every check; a fault in one never hides the others."""
    try:
        with opened(config) as clinic:
            return [Check(name="settings", ok=True, finding="read"), *_checks(clinic, clock.now())]
    except ScorebridgeError as error:
        return [Check(name="settings and database", ok=False, finding=error.message, next_step=error.next_step)]


def _checks(clinic: Clinic, now: datetime) -> Iterator[Check]:
    yield _guarded("readiness", lambda: _ready(clinic))
    yield from (_folder(source.folder, writes=source.after != "leave") for source in clinic.settings.source)
    yield from _rosters(clinic, now)
    yield _guarded("templates", lambda: _templates(clinic))
    yield _guarded("destinations", lambda: _destinations(clinic))
    yield _guarded("audit trail", lambda: _audit(clinic))
    yield _guarded("balance", lambda: _balance(clinic))
    yield _free_space(clinic.settings.home)
    yield _people(clinic)


def _guarded(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, finding=look())
    except ScorebridgeError as error:
        return Check(name=name, ok=False, finding=error.message, next_step=error.next_step)


def _ready(clinic: Clinic) -> str:
    check_ready(clinic.settings)
    return "the service can start"


def _folder(folder: Path, *, writes: bool) -> Check:
    name = f"folder {folder}"
    if not folder.is_dir():
        return Check(name=name, ok=False, finding="cannot be found", next_step="Check the path and the share.")
    if not os.access(folder, os.R_OK | os.X_OK):
        return Check(name=name, ok=False, finding="cannot be read", next_step="Give the service's account read access.")
    if writes and not os.access(folder, os.W_OK):
        return Check(name=name, ok=False, finding="files cannot be moved or deleted", next_step="Set after = “leave”.")
    return Check(name=name, ok=True, finding="can be read")


def _rosters(clinic: Clinic, now: datetime) -> Iterator[Check]:
    with clinic.database.reading() as session:
        found = freshness(session, clinic.settings.site, now=now)
    steps = {
        "missing": "Import one with “scorebridge roster import”, or start the service.",
        "stale": "Export a new roster, and see why the last ones did not come (“scorebridge roster status”).",
        "held": "When the list is right again, import it with “scorebridge roster import --site SITE”.",
    }
    for one in found:
        next_step = steps.get(one.state, "")
        yield Check(name=f"roster of {one.site}", ok=not one.is_worrying, finding=one.sentence, next_step=next_step)


def _templates(clinic: Clinic) -> str:
    folder = clinic.settings.templates_folder
    files = load_templates([folder]) if folder.exists() else ()
    if not files:
        raise SettingsError(
            "There is no template: every report would wait for a person.",
            next_step="Publish one with “scorebridge template publish FILE”.",
        )
    in_use = PublishedTemplates(clinic.database, folder).current()
    held = [template.name for template in in_use.templates if "template-held" in in_use.reasons(template.name)]
    if held:
        raise SettingsError(
            f"On hold: {', '.join(held)}.",
            next_step="See what changed with “scorebridge template list”; release it, or publish another revision.",
        )
    return ", ".join(file.template.name for file in files)


def _destinations(clinic: Clinic) -> str:
    with clinic.database.reading() as session:
        settings = with_chosen_modes(session, clinic.settings)
        paused = outbox.paused(session)
    configured = configure(settings.destination, folder=clinic.folder)
    if paused:
        raise SettingsError(
            " ".join(f"{name} is paused: {delivery_sentence(paused[name])}" for name in sorted(paused)),
            next_step="“scorebridge destination probe ID” says what is missing. Mend it, then run “scorebridge "
            "destination resume ID”.",
        )
    return ", ".join(f"{d.destination_id} ({d.settings.mode.value})" for d in configured)


def _audit(clinic: Clinic) -> str:
    with clinic.database.reading() as session:
        verdict = audit.verify(session, anchor_file=clinic.database.anchor_file)
    if not verdict.intact:
        raise SettingsError(
            f"The trail was altered: {verdict.reason}.", next_step="Keep a copy of the database and call for help."
        )
    return f"{verdict.events} events, intact"


def _balance(clinic: Clinic) -> str:
    with clinic.database.reading() as session:
        wrong = balance.mismatches(session)
    if wrong:
        raise SettingsError(
            f"Reports that do not add up: {', '.join(map(str, wrong[:10]))}.", next_step="Read them again."
        )
    return "every report adds up"


def _free_space(home: Path) -> Check:
    free = shutil.disk_usage(home).free
    ok = free >= _LEAST_FREE
    next_step = "" if ok else "Make room: with a full disk nothing is taken any more."
    return Check(name="disk", ok=ok, finding=f"{free / 1024**3:.1f} GB free", next_step=next_step)


def _people(clinic: Clinic) -> Check:
    with clinic.database.reading() as session:
        count = len(users.list_users(session))
    next_step = "" if count else "Add one with “scorebridge user add NAME --role administrator”."
    return Check(name="users", ok=bool(count), finding=f"{count} may sign in", next_step=next_step)
