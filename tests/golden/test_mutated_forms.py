"""Forms mutated in print are read right or held: none is confirmed wrong, none is lost. In full: `bench.mutations`."""

from __future__ import annotations

import pytest

from bench.mutations import judged, mutants
from bench.printed_report import PrintedReport, Told, reports

_FORMS = ("nrc_outcome_register/one_page_plain", "lmh_measure_export/short")


def _mutants() -> list[tuple[str, PrintedReport, bytes, tuple[Told, ...]]]:
    found = []
    for name in _FORMS:
        for report in reports((), samples=None, only=name):
            assert isinstance(report, PrintedReport), report
            found += [(f"{name}:{kind}", report, *mutant) for kind, _, mutant in mutants(report, seeds=(1,))]
    return found


@pytest.fixture(scope="module")
def mutated() -> list[tuple[str, PrintedReport, bytes, tuple[Told, ...]]]:
    """Some twenty mutants of a listing and of an export."""
    return _mutants()


def test_no_mutant_is_confirmed_wrong_or_lost(
    mutated: list[tuple[str, PrintedReport, bytes, tuple[Told, ...]]],
) -> None:
    outcomes = {name: judged(report, content, told) for name, report, content, told in mutated}
    assert len(outcomes) >= 20
    assert {name: outcome.faults for name, outcome in outcomes.items() if outcome.faults} == {}
    assert sum(outcome.counts["right"] for outcome in outcomes.values()) > 100


def test_a_print_that_says_something_else_than_is_read_is_noticed() -> None:
    (report,) = reports((), samples=None, only="lmh_measure_export/short")
    assert isinstance(report, PrintedReport)
    told = tuple(each.saying("total", "1") for each in report.told)
    outcome = judged(report, report.content, told)
    assert outcome.counts["wrong"] > 0


def test_a_record_that_nothing_was_read_of_is_noticed() -> None:
    (report,) = reports((), samples=None, only="lmh_measure_export/short")
    assert isinstance(report, PrintedReport)
    lines = report.content.splitlines(keepends=True)
    gone = report.told[0].row.line or 0
    outcome = judged(report, b"".join([*lines[: gone - 1], b"\r\n", *lines[gone:]]), report.told)
    assert outcome.counts["lost"] == 1
