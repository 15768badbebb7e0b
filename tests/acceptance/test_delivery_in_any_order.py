"""Whatever people, printers, portals and the power supply do, and in whatever order: the portals end up right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.acceptance.clinic import FULL
from tests.acceptance.delivery_machine import DeliveryMachine, make_home

RUNS, STEPS = (500, 60) if FULL else (12, 25)


@pytest.mark.acceptance
@pytest.mark.timeout(7200)
def test_the_portals_show_what_the_clinic_says_in_the_end_and_nothing_else(tmp_path: Path) -> None:
    make_home(tmp_path / "home")

    class OfThisHome(DeliveryMachine):
        home = tmp_path / "home"

    run_state_machine_as_test(
        OfThisHome,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )
