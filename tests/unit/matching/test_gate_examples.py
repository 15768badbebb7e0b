from __future__ import annotations

import pytest

from fixtures.gates import GateExample, gate_examples
from records.decision import MatchGrade

EXAMPLES = gate_examples()


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.reason for example in EXAMPLES])
def test_the_example_of_a_gate_waits_for_its_reason(example: GateExample) -> None:
    decision = example.decide(example.waits)
    assert decision.grade is not MatchGrade.CERTAIN
    assert example.reason in decision.reasons


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.passes], ids=[example.reason for example in EXAMPLES if example.passes]
)
def test_what_tells_the_patient_apart_passes_the_gate(example: GateExample) -> None:
    assert example.passes is not None
    decision = example.decide(example.passes)
    assert (decision.grade, decision.patient_id, decision.reasons) == (MatchGrade.CERTAIN, "p0", ())
