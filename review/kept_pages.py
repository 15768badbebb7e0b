"""Entries that came after their session had ended: offered again, never sent by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from review import policies
from review.access import Form, SignedIn
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from store import kept_entries
from store.kept_entries import KeptEntry

_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A kept entry as the page shows it.

    Attributes:
        words: What it was, out of its address: no patient data.
        fields: What was entered, to be sent again as it was.
        back: The page it was entered on, as far as the address tells.
    """

    entry_id: int
    words: str
    fields: Mapping[str, str] = field(repr=False)
    kept_at: datetime
    back: str


def entry_words(path: str) -> str:
    """What an entry was: "Approve, case 17" for `/cases/17/approve`."""
    parts = [part for part in path.split("/") if part]
    numbers = [part for part in parts if _NUMBER.fullmatch(part)]
    words = [part.replace("-", " ") for part in parts if not _NUMBER.fullmatch(part)]
    if not words:
        return "An entry"
    if len(words) == 1:
        return words[0].capitalize()
    thing = words[0] if not numbers else f"{words[0].removesuffix('s')} {' and '.join(numbers)}"
    return f"{' '.join(words[1:]).capitalize()}, {thing}"


def show_kept(request: Request, visitor: SignedIn) -> Response:
    """What was kept for this person."""
    office, now = office_of(request), office_of(request).now()
    with office.database.reading() as session:
        found = kept_entries.list_entries(session, visitor.user, now=now)
    return page(request, "kept.html", visitor=visitor, offers=[_offer(entry) for entry in found])


def send(request: Request, visitor: SignedIn, entry_id: int, form: Form) -> Response:
    """Have the browser send the entry where it was meant to go; from then on it is an entry like any other."""
    del form  # the browser sends it on, to whoever checks it
    office = office_of(request)
    with office.database.session() as session:
        mine = kept_entries.list_entries(session, visitor.user, now=office.now())
        entry = next((one for one in mine if one.entry_id == entry_id), None)
        if entry is None:
            return go_to("/kept", said="entry-gone")
        kept_entries.drop(session, visitor.user, entry_id)
    return RedirectResponse(entry.path, status_code=307)


def drop(request: Request, visitor: SignedIn, entry_id: int, form: Form) -> Response:
    """Forget the entry."""
    del form
    with office_of(request).database.session() as session:
        dropped = kept_entries.drop(session, visitor.user, entry_id)
    return go_to("/kept", said="entry-dropped" if dropped else "entry-gone")


def _offer(entry: KeptEntry) -> Offer:
    return Offer(
        entry_id=entry.entry_id,
        words=entry_words(entry.path),
        fields=entry.fields,
        kept_at=entry.kept_at,
        back=entry.path.rpartition("/")[0] or "/",
    )


ROUTES: Final = (
    Route("GET", "/kept", show_kept, policies.EVERYBODY),
    Route("POST", "/kept/{entry_id}/send", send, policies.EVERYBODY),
    Route("POST", "/kept/{entry_id}/drop", drop, policies.EVERYBODY),
)
