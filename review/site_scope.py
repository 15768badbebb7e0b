"""What an address names must be at a site that the visitor sees; anything else is as if it were not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from review.access import Visitor
from review.office import Office, office_of
from store import whereabouts

# Parameter of an address to the kind of thing it is the id of.
NAMED: Final[Mapping[str, str]] = {f"{kind}_id": kind for kind in whereabouts.KINDS}


class NotThereError(Exception):
    """There is no such thing, or it is none of the visitor's business: nobody is told which."""


def within_sites(request: Request) -> None:
    """Let a signed-in request through to what its address names; runs after the policy of the route.

    Raises:
        NotThereError: See `check_sites`.
    """
    visitor = getattr(request.state, "visitor", None)
    if isinstance(visitor, Visitor):
        check_sites(office_of(request), visitor, request.path_params)


def check_sites(office: Office, visitor: Visitor, parameters: Mapping[str, object]) -> None:
    """Let a visitor through to what the parameters of an address name.

    Raises:
        NotThereError: It is not there, or at a site that the visitor does not see.
    """
    named = {kind: str(parameters[name]) for name, kind in NAMED.items() if name in parameters}
    site = parameters.get("site")
    if site is not None and not (site in office.sites and visitor.sees(str(site))):
        raise NotThereError
    if not named:
        return
    if any(text != "0" for text in named.values()):
        # A difference is between a record and a typed value, and either may be missing: number 0 says so.
        named = {kind: text for kind, text in named.items() if text != "0"}
    with office.database.reading() as session:
        for kind, text in named.items():
            number = int(text) if text.isascii() and text.isdecimal() and len(text) < 11 else 0
            found = whereabouts.site_of(session, kind, number)
            if found is None or not visitor.sees(found):
                raise NotThereError
