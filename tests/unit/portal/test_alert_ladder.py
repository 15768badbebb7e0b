"""Who is told when: rungs by time, the last one again and again, and nobody twice over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from portal.alert_ladder import Ladder, Rung, even_ladder
from portal.alert_settings import AlertSettings

BEGUN = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LADDER = Ladder(
    rungs=(
        Rung(after=0 * MINUTE, channels=frozenset({"pager"})),
        Rung(after=10 * MINUTE, channels=frozenset({"pager", "mail"})),
        Rung(after=20 * MINUTE, channels=frozenset({"head"})),
    ),
    repeat=30 * MINUTE,
)
WEBHOOK = {"webhook": "https://pager.example.org/hook"}
PAGER = {"name": "pager", "webhook": "https://pager.example.org/hook"}
CHART = {"name": "chart", "fhir": {"base_url": "https://fhir.example.org/r4"}}
MAIL = {"name": "on-call", "smtp": {"host": "mail.example.org", "from": "s@example.org", "to": "a@example.org"}}


def owed(channel: str, minutes: float, *, told: int = 0, told_minutes: float | None = None) -> int:
    told_at = None if told_minutes is None else BEGUN + told_minutes * MINUTE
    return LADDER.owed(channel, begun_at=BEGUN, now=BEGUN + minutes * MINUTE, told=told, told_at=told_at)


def test_each_rung_tells_its_channels_when_its_time_has_come() -> None:
    assert [owed(channel, 0) for channel in ("pager", "mail", "head")] == [1, 0, 0]
    assert [owed(channel, 9.9, told=1, told_minutes=0) for channel in ("pager", "mail", "head")] == [0, 0, 0]
    assert [owed("pager", 10, told=1, told_minutes=0), owed("mail", 10), owed("head", 10)] == [2, 2, 0]


def test_a_channel_that_was_down_owes_the_latest_of_its_rungs_only() -> None:
    assert owed("pager", 300) == 2
    assert owed("head", 300) == 3 + (300 - 20) // 30


def test_the_last_rung_is_told_again_for_ever_and_never_sooner_than_the_pause() -> None:
    told, told_at, steps = 0, None, []
    for minute in range(24 * 60):
        step = owed("head", minute, told=told, told_minutes=told_at)
        if step:
            told, told_at = step, minute
            steps.append(minute)
    assert steps[0] == 20
    assert {later - earlier for earlier, later in pairwise(steps)} == {30}
    assert steps[-1] >= 24 * 60 - 30
    assert owed("head", 50, told=3, told_minutes=45) == 0


def test_a_clock_that_goes_back_never_silences_the_first_step() -> None:
    assert owed("pager", -90) == 1


@given(st.floats(0, 10_000), st.floats(0, 10_000))
def test_steps_only_rise(one: float, other: float) -> None:
    earlier, later = sorted((one, other))
    assert LADDER.step_at(earlier * MINUTE) <= LADDER.step_at(later * MINUTE)


def test_the_simple_form_is_a_ladder() -> None:
    simple = AlertSettings.model_validate(WEBHOOK | {"escalate_after_minutes": 5, "steps": 3, "repeat_minutes": 7})
    named = AlertSettings.model_validate(
        {
            "channel": [PAGER | {"name": "webhook"}],
            "rung": [{"after_minutes": minutes, "channels": "webhook"} for minutes in (0, 5, 10)],
            "repeat_minutes": 7,
        }
    )
    assert simple.ladder == named.ladder == even_ladder(["webhook"], steps=3, every=5 * MINUTE, repeat=7 * MINUTE)
    assert [channel.name for channel in simple.channels] == ["webhook"]


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        (WEBHOOK | {"channel": [PAGER]}, ["webhook and smtp are for an [alerts] section without [[alerts.channel]]"]),
        ({"channel": [PAGER, PAGER]}, ["channel pager is set twice"]),
        ({"channel": [CHART]}, ["no channel takes notices"]),
        ({"channel": [PAGER | {"smtp": MAIL["smtp"]}]}, ["one of webhook, smtp and fhir"]),
        ({"channel": [{"name": "pager"}]}, ["one of webhook, smtp and fhir"]),
        ({"channel": [MAIL | {"webhook_token": "env:TOKEN"}]}, ["webhook_token without webhook"]),
        (
            {
                "channel": [PAGER, MAIL],
                "rung": [{"after_minutes": 5, "channels": "pager"}, {"after_minutes": 5, "channels": ["boss"]}],
                "steps": 2,
            },
            ["steps are for", "no channel boss", "on-call is on no rung", "after_minutes = 0", "must rise"],
        ),
        ({"channel": [PAGER], "rung": [{"after_minutes": 0, "channels": []}]}, ["at least 1 item"]),
        (WEBHOOK | {"repeat_minutes": 0}, ["greater than or equal to 1"]),
    ],
)
def test_a_ladder_that_would_leave_somebody_out_is_refused_with_every_fault(
    wrong: dict[str, object], faults: list[str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        AlertSettings.model_validate(wrong)
    assert [fault for fault in faults if fault not in str(caught.value)] == []
