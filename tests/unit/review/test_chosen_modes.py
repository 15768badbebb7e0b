"""Choosing how far a portal goes, on its page and through the API: what it needs, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from records.errors import DecisionRefusedError
from records.submission import DestinationMode
from review.access import PROOF_LASTS
from store import audit, chosen_modes, destination_modes
from store.users import Role
from tests.unit.review.api_caller import Caller
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import SETUP, SITE, Clinic, open_clinic
from tests.unit.review.shadow_clinic import signed_day, with_typed_values
from tests.unit.review.two_sites import OTHER, open_both, token_for

PAGE = "/destinations/portal"
M = DestinationMode


@pytest.fixture
def ada(clinic: Clinic) -> Browser:
    return Browser(clinic.app).signed_in("ada")


@pytest.fixture
def fixed(home: Path) -> Iterator[Clinic]:
    """A clinic whose settings file names the mode."""
    there = (replace(SETUP.destinations[0], is_mode_fixed=True),)
    faults = ("scorebridge.toml sets the mode to shadow: take it out there to choose it here.",)
    opened = open_clinic(home, setup=replace(SETUP, destinations=there, mode_faults=lambda _, __: faults))
    yield opened
    opened.database.close()


def mode_of(clinic: Clinic) -> DestinationMode | None:
    with clinic.database.reading() as session:
        found = chosen_modes.chosen(session, "portal")
    return found and found.mode


def changes(clinic: Clinic) -> list[tuple[str, str, dict[str, str]]]:
    with clinic.database.reading() as session:
        found = [one.event for one in audit.events(session, object_kind="destination", limit=100)]
    return [(one.actor, one.action, dict(one.detail)) for one in found]


def test_a_mode_is_chosen_with_a_word_that_one_is_sure_and_is_in_the_trail(clinic: Clinic, ada: Browser) -> None:
    ada.open(PAGE)
    assert ada.submit(f"{PAGE}/mode", mode="off", sure="").status_code == 409
    ada.open(PAGE)
    assert ada.submit(f"{PAGE}/mode", mode="nonsense", sure="yes").status_code == 409
    assert mode_of(clinic) is None
    ada.open(PAGE)
    assert ada.submit(f"{PAGE}/mode", mode="off", sure="yes").headers["location"] == f"{PAGE}?said=mode-chosen"
    assert mode_of(clinic) is M.OFF
    assert changes(clinic) == [("ada", "destination.mode-chosen", {"mode": "off", "before": "shadow"})]
    page = ada.open(PAGE).text
    assert '<span class="tag">off</span>' in page
    assert "the service does not run in it yet" in page
    assert ada.submit(f"{PAGE}/mode", mode="off", sure="yes").status_code == 303
    assert len(changes(clinic)) == 1, "the same mode again changes nothing"
    with clinic.database.session() as session:
        destination_modes.note(session, "portal", M.OFF, now=clinic.clock())
    assert "does not run in it yet" not in ada.open(PAGE).text
    assert "<td>off</td>" in ada.open("/destinations").text


def test_choosing_a_mode_asks_again_who_it_is(clinic: Clinic, ada: Browser) -> None:
    ada.open(PAGE)
    for _ in range(2):  # somebody is at the keyboard all the time
        clinic.clock.moment += PROOF_LASTS / 2
        ada.open(PAGE)
    answer = ada.submit(f"{PAGE}/mode", mode="off", sure="yes")
    assert answer.headers["location"] == "/prove?next=/kept"
    assert mode_of(clinic) is None


def test_nobody_goes_live_before_a_comparison_is_signed(clinic: Clinic, ada: Browser) -> None:
    missing = f"No comparison with what staff typed is signed for {SITE}."
    page = ada.open(PAGE).text
    assert f"Not now: {missing}" in page
    assert 'value="live" required disabled' in page
    answer = ada.submit(f"{PAGE}/mode", mode="live", sure="yes")
    assert answer.status_code == 409
    assert missing in answer.text
    assert mode_of(clinic) is None
    with_typed_values(clinic)
    signed_day(clinic)
    assert missing not in ada.open(PAGE).text
    assert ada.submit(f"{PAGE}/mode", mode="live", sure="yes").status_code == 303
    assert mode_of(clinic) is M.LIVE


def test_every_site_needs_its_comparison(home: Path) -> None:
    both = open_both(home)
    with_typed_values(both)
    signed_day(both)
    with both.database.reading() as session:
        assert chosen_modes.unmet(session, M.LIVE, sites=(SITE,)) == ()
        (missing,) = chosen_modes.unmet(session, M.LIVE, sites=(SITE, OTHER))
        assert f"signed for {OTHER}." in missing
        assert chosen_modes.unmet(session, M.STAGING, sites=(SITE, OTHER)) == ()
    both.database.close()


def test_what_the_settings_say_against_a_mode_is_shown_and_holds(home: Path) -> None:
    said = "Its allow_list in scorebridge.toml names no patient who may be sent."
    setup = replace(SETUP, mode_faults=lambda _, mode: (said,) if mode is M.STAGING else ())
    clinic = open_clinic(home, setup=setup)
    ada = Browser(clinic.app).signed_in("ada")
    assert f"Not now: {said}" in ada.open(PAGE).text
    assert ada.submit(f"{PAGE}/mode", mode="staging", sure="yes").status_code == 409
    assert mode_of(clinic) is None
    clinic.database.close()


def test_a_mode_in_the_settings_file_is_shown_as_such_and_not_chosen_here(fixed: Clinic) -> None:
    ada = Browser(fixed.app).signed_in("ada")
    page = ada.open(PAGE).text
    assert "because scorebridge.toml says so" in page
    assert f"{PAGE}/mode" not in ada.forms()
    admin = Caller(fixed.app, token_for(fixed, Role.ADMINISTRATOR))
    refused = admin.post(f"{PAGE}/mode", {"mode": "off"})
    assert refused.status_code == 409
    assert "take it out there" in refused.json()["detail"]
    assert admin.get(PAGE).json()["is_mode_fixed"] is True


def test_what_was_chosen_does_not_come_back_once_the_file_has_named_a_mode(clinic: Clinic) -> None:
    now = clinic.clock()
    with clinic.database.session() as session:
        first = chosen_modes.latest_id(session)
        chosen_modes.choose(session, "portal", M.OFF, before=M.SHADOW, faults=(), sites=(), actor="ada", now=now)
        assert chosen_modes.latest_id(session) > first
        chosen_modes.give_up(session, "portal", actor="service", now=now)
        chosen_modes.give_up(session, "portal", actor="service", now=now)
        assert chosen_modes.chosen(session, "portal") is None
        with pytest.raises(DecisionRefusedError):
            chosen_modes.choose(
                session, "portal", M.OFF, before=M.SHADOW, faults=("No.",), sites=(), actor="a", now=now
            )
    assert [action for _, action, _ in changes(clinic)] == ["destination.mode-chosen", "destination.mode-given-up"]


def test_a_program_of_an_administrator_chooses_a_mode_and_no_other(home: Path) -> None:
    both = open_both(home)
    for token, status in (
        (token_for(both, Role.REVIEWER), 403),
        (token_for(both, Role.ADMINISTRATOR, read_only=True), 403),
        (token_for(both, Role.ADMINISTRATOR), 200),
    ):
        assert Caller(both.app, token).post(f"{PAGE}/mode", {"mode": "off"}).status_code == status
    here = Caller(both.app, token_for(both, Role.ADMINISTRATOR, sites={SITE}))
    refused = here.post(f"{PAGE}/mode", {"mode": "live"})
    assert refused.status_code == 409
    assert OTHER not in refused.text, "nobody is told what another site has signed"
    admin = Caller(both.app, token_for(both, Role.ADMINISTRATOR))
    told = admin.get(PAGE).json()
    assert (told["mode"], told["is_mode_fixed"], told["mode_since"]) == ("off", False, None)
    assert admin.post(f"{PAGE}/mode", {"mode": "live"}).status_code == 409
    assert admin.post(f"{PAGE}/mode", {"mode": "on"}).status_code == 422
    assert admin.post("/destinations/nothing/mode", {"mode": "off"}).status_code == 404
    both.database.close()
