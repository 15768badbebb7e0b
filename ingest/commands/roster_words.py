"""How `roster` shows columns, differences and history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ingest.report_json import Json
from ingest.roster_columns import COSTS
from ingest.roster_file import RosterFile
from ingest.terminal import note, print_json, print_table
from records.patient import RosterPatient
from store.roster_diff import FieldValue, RosterDiff, changed_fields
from store.roster_history import PatientChange, RosterVersion


def show_columns(read: RosterFile) -> None:
    """Which header is which field, what is ignored, and what the fields that are missing cost."""
    print_table("Columns", ("ours", "in the file"), list(read.columns.items()))
    if read.missing:
        print_table("Not in the file", ("field", "what that costs"), [(name, COSTS[name]) for name in read.missing])
    if read.ignored:
        note(f"Not used: {', '.join(read.ignored)}")
    note(f"Dates: {read.dates}")
    if read.other_sites:
        note(f"{read.other_sites} lines of other sites are left out.")


def show_diff(diff: RosterDiff) -> None:
    """How many patients change, and in which fields."""
    counts = (
        ("added", len(diff.added)),
        ("changed", len(diff.changed)),
        ("removed", len(diff.removed)),
        ("unchanged", diff.unchanged),
    )
    print_table("Against the roster in use", ("", "patients"), counts)
    if diff.changed:
        print_table("Changed fields", ("field", "patients"), list(diff.fields.items()))
        note(f"{diff.reidentified} get another name, birth date or record number, or lose it.")


def diff_json(diff: RosterDiff) -> dict[str, Json]:
    """A difference in numbers."""
    return {
        "added": len(diff.added),
        "changed": len(diff.changed),
        "removed": len(diff.removed),
        "unchanged": diff.unchanged,
        "fields": dict(diff.fields),
        "reidentified": diff.reidentified,
        "deactivated": diff.deactivated,
    }


def patient_rows(diff: RosterDiff) -> Iterator[tuple[str, str, str, str, str]]:
    """A line for each field of each patient that changes; for whole patients, who they are."""
    for before, after in diff.changed:
        for name in changed_fields(before, after):
            yield ("changed", after.patient_id, name, _word(getattr(before, name)), _word(getattr(after, name)))
    for patient in diff.removed:
        yield ("removed", patient.patient_id, "", _who(patient), "")
    for patient in diff.added:
        yield ("added", patient.patient_id, "", "", _who(patient))


def changes_table(changes: Sequence[PatientChange], *, as_json: bool) -> None:
    """What versions changed of patients, old values and new ones."""
    if as_json:
        for change in changes:
            print_json(_change_json(change))
        return
    print_table("", ("version", "made", "by", "patient", "", "field", "old", "new"), [
        (change.version, f"{change.made_at:%Y-%m-%d %H:%M}", change.made_by, change.patient_id, change.kind, name,
         _word(change.before.get(name)), _word(change.after.get(name)))
        for change in changes
        for name in (change.before or {"": None})
    ])  # fmt: skip


def versions_table(versions: Sequence[RosterVersion], *, as_json: bool) -> None:
    """The versions of a roster, in numbers."""
    if as_json:
        for version in versions:
            print_json(_version_json(version))
        return
    print_table("", ("version", "made", "by", "from", "list of", "added", "changed", "removed", "restores"), [
        (one.version, f"{one.made_at:%Y-%m-%d %H:%M}", one.made_by, one.source, f"{one.as_of:%Y-%m-%d %H:%M}",
         one.added, one.changed, one.removed, one.restores)
        for one in versions
    ])  # fmt: skip


def _version_json(version: RosterVersion) -> dict[str, Json]:
    return {
        "version": version.version,
        "as_of": version.as_of.isoformat(),
        "made_at": version.made_at.isoformat(),
        "made_by": version.made_by,
        "source": version.source,
        "restores": version.restores,
        "added": version.added,
        "changed": version.changed,
        "removed": version.removed,
        "warnings": list(version.warnings),
    }


def _change_json(change: PatientChange) -> dict[str, Json]:
    return {
        "version": change.version,
        "made_at": change.made_at.isoformat(),
        "made_by": change.made_by,
        "patient_id": change.patient_id,
        "kind": change.kind.value,
        "before": {name: _plain(value) for name, value in change.before.items()},
        "after": {name: _plain(value) for name, value in change.after.items()},
    }


def _who(patient: RosterPatient) -> str:
    return ", ".join(_word(part) for part in (patient.family, patient.given, patient.birth_date) if part)


def _plain(value: FieldValue) -> str | bool | None:
    return value.isoformat() if isinstance(value, date) else value


def _word(value: FieldValue) -> str:
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
