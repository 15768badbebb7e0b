"""Events of the audit trail in words, and as cells of a table that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from store.audit import ChainedEvent, stamp
from store.audit_checking import ChainState
from store.audit_shown import NAMED

CSV_COLUMNS: Final = ("number", "when (UTC)", "who", "action", "kind", "id", "detail", "hash")
# Spreadsheets take cells that begin like this for formulas (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_YES_NO: Final = {"True": "yes", "False": "no"}
_PLACES: Final = {"record": "/records/", "case": "/cases/", "report": "/reports/"}
_BROKEN: Final = {
    "altered": "Entry {bad} doesn't match its hash.",
    "missing": "Entry {bad} is missing.",
    "truncated": "The end is missing from entry {bad} on.",
    "anchor-unreadable": "The anchor file can't be read, so a missing end would not be seen.",
    "verdict-altered": "The kept verdict was not written by this program.",
}


def action_words(action: str) -> str:
    """ "Case approved" for "case.approved"."""
    words = action.replace(".", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def object_words(link: ChainedEvent) -> str:
    """What an event is about: "case 12"."""
    kind, number = link.event.object_kind.replace("-", " "), link.event.object_id
    return kind if number in ("all", "open", "search") else f"{kind} {number}"


def object_place(link: ChainedEvent) -> str:
    """The page of what an event is about, or empty if it has none."""
    place = _PLACES.get(link.event.object_kind, "")
    return f"{place}{link.event.object_id}" if place and link.event.object_id.isdecimal() else ""


def change_words(link: ChainedEvent) -> str:
    """What changed: "reviewer → auditor", and whatever else the event says."""
    detail = {name: value for name, value in link.event.detail if name != NAMED}
    said = [f"{detail.pop('from')} → {detail.pop('to')}"] if {"from", "to"} <= detail.keys() else []
    said += [f"{name.replace('-', ' ')} {_YES_NO.get(value, value)}" for name, value in detail.items() if value]
    return "; ".join(said)


def fault_words(chain: ChainState) -> str:
    """What is wrong with the chain, or empty."""
    if chain.reason is None:
        return ""
    bad = "" if chain.first_bad is None else f"{chain.first_bad:,}"
    return _BROKEN.get(chain.reason, "It is not as it was written.").format(bad=bad)


def csv_lines(links: Iterable[ChainedEvent]) -> Iterator[str]:
    """A table of events, a line at a time; no cell of it is taken for a formula."""
    yield _csv_line(CSV_COLUMNS)
    for link in links:
        event = link.event
        detail = "; ".join(f"{name}={value}" for name, value in event.detail)
        cells = (str(link.seq), stamp(link.at), event.actor, event.action, event.object_kind, event.object_id)
        yield _csv_line((*cells, detail, link.mac))


def _csv_line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([f"'{one}" if one.startswith(_FORMULA) else one for one in cells])
    return out.getvalue()
