"""How one person wants to work on the pages."""

from __future__ import annotations

from sqlmodel import Session

from store.preference_tables import PreferenceRow


def single_keys(session: Session, user_name: str) -> bool:
    """Whether a single key does something on a page (WCAG 2.1.4 asks for a way to turn that off); on at first."""
    row = session.get(PreferenceRow, user_name)
    return True if row is None else row.single_keys


def set_single_keys(session: Session, user_name: str, *, on: bool) -> None:
    """Turn single keys on or off for one person, on every machine."""
    row = session.get(PreferenceRow, user_name) or PreferenceRow(user_name=user_name, single_keys=on)
    row.single_keys = on
    session.add(row)
    session.flush()
