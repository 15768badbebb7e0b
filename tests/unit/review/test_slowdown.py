"""Machines from which wrong passwords come wait; everybody else does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.slowdown import FORGOTTEN_AFTER, FREE_FAILURES, Slowdown
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import PASSWORD, START, Clinic

_NOTHING = timedelta(0)


def _failed(times: int, address: str = "10.0.0.9") -> Slowdown:
    slowdown = Slowdown()
    for _ in range(times):
        slowdown.failed(address, now=START)
    return slowdown


def test_a_clinic_behind_one_address_may_mistype_a_few_times() -> None:
    assert _failed(FREE_FAILURES).wait("10.0.0.9", now=START) == _NOTHING


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    waits = [_failed(FREE_FAILURES + over).wait("10.0.0.9", now=START) for over in range(1, 13)]
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (2, 4, 8, 16)]
    assert waits[-1] == _failed(100_000).wait("10.0.0.9", now=START) == timedelta(minutes=15)


def test_the_wait_ends_and_the_failures_are_forgotten() -> None:
    slowdown = _failed(FREE_FAILURES + 1)
    assert slowdown.wait("10.0.0.9", now=START + timedelta(seconds=2)) == _NOTHING
    later = START + FORGOTTEN_AFTER + timedelta(seconds=2)
    slowdown.failed("10.0.0.9", now=later)
    assert slowdown.wait("10.0.0.9", now=later) == _NOTHING


def test_other_machines_do_not_wait() -> None:
    assert _failed(50).wait("10.0.0.10", now=START) == _NOTHING


@pytest.mark.parametrize("other", ["2001:db8::2", "2001:db8::ffff:1"])
def test_one_machine_cannot_hide_among_its_own_addresses(other: str) -> None:
    assert _failed(50, "2001:db8::1").wait(other, now=START) > _NOTHING
    assert _failed(50, "2001:db8::1").wait("2001:db8:0:1::1", now=START) == _NOTHING


@given(st.integers(0, 2000))
def test_nobody_waits_longer_than_a_quarter_of_an_hour(failures: int) -> None:
    assert _NOTHING <= _failed(failures).wait("10.0.0.9", now=START) <= timedelta(minutes=15)


def test_the_sign_in_says_how_long_to_wait_and_the_right_password_waits_too(clinic: Clinic) -> None:
    office = clinic.app.state.office
    for _ in range(FREE_FAILURES + 3):
        office.slowdown.failed("127.0.0.1", now=clinic.clock())
    browser = Browser(clinic.app)
    browser.open("/sign-in")
    answer = browser.submit("/sign-in", name="rosa", password=PASSWORD)
    assert (answer.status_code, "Wait 8 seconds, then try again." in answer.text) == (429, True)
    assert Browser(clinic.app, client="127.0.0.2").signed_in("sam").open("/queue").status_code == 200
    clinic.clock.advance(timedelta(seconds=8))
    assert browser.signed_in("rosa").open("/queue").status_code == 200


def test_wrong_passwords_are_what_counts(clinic: Clinic) -> None:
    browser = Browser(clinic.app)
    browser.open("/sign-in")
    for number in range(FREE_FAILURES + 1):
        assert browser.submit("/sign-in", name=f"nobody{number}", password="wrong").status_code == 403
    assert browser.submit("/sign-in", name="nobody", password="wrong").status_code == 429
