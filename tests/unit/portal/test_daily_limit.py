"""How many new values may go on which day after going live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.daily_limit import day_start, limit_today
from portal.settings import DestinationSettings

CHICAGO = ZoneInfo("America/Chicago")
LIVE_SINCE = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)  # in the evening of the second of March in Chicago


def settings(**more: object) -> DestinationSettings:
    given = {"id": "portal", "file": "generic-json.yaml", "base_url": "https://portal.example.org", "mode": "live"}
    return DestinationSettings.model_validate({**given, **more})


@pytest.mark.parametrize(("days_later", "limit"), [(0, 50), (1, 50), (2, 50), (3, None)])
def test_the_limit_holds_for_so_many_local_days_with_the_first(days_later: int, limit: int | None) -> None:
    now = LIVE_SINCE + timedelta(days=days_later)
    found = limit_today(settings(daily_limit=50, daily_limit_days=3), live_since=LIVE_SINCE, now=now, zone=CHICAGO)
    assert found == limit


def test_the_day_is_the_clinics_own() -> None:
    assert day_start(LIVE_SINCE, CHICAGO) == datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    early = datetime(2026, 3, 5, 5, 59, tzinfo=UTC)
    limited = settings(daily_limit=50, daily_limit_days=3)
    assert limit_today(limited, live_since=LIVE_SINCE, now=early, zone=CHICAGO) == 50
    assert limit_today(limited, live_since=LIVE_SINCE, now=early + timedelta(minutes=1), zone=CHICAGO) is None


@pytest.mark.parametrize("more", [{}, {"daily_limit": 5, "mode": "shadow"}])
def test_without_a_limit_or_outside_of_live_there_is_none(more: dict[str, object]) -> None:
    assert limit_today(settings(**more), live_since=LIVE_SINCE, now=LIVE_SINCE, zone=CHICAGO) is None


def test_a_limit_of_nothing_a_day_is_no_setting() -> None:
    with pytest.raises(ValueError):
        settings(daily_limit=0)
