"""The delivery worker and the sandbox, held to the portal's OpenAPI contract by Prism."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from delivery_cases import MORNING, assessment, confirm, delivery_worker, destination, new_store, reasons, states

from portal.sandbox import RunningSandbox, SandboxOptions, running_sandbox
from records.submission import DeliveryState
from store import outbox
from store.database import Database
from tests.portals.contract_portal import contract_portal
from tools import portal_contract

D = DeliveryState
TOKEN = "secret-token-of-the-test"
pytestmark = pytest.mark.xdist_group("contract")


@dataclass(frozen=True)
class Portal:
    """A sandbox and the contract in front of it."""

    url: str
    sandbox: RunningSandbox


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox(SandboxOptions(token=TOKEN)))
        log = tmp_path_factory.mktemp("contract") / "log.txt"
        yield Portal(url=stack.enter_context(contract_portal(sandbox.url, log=log)), sandbox=sandbox)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


def test_the_contract_is_what_the_sandbox_says_of_itself() -> None:
    assert portal_contract.DOCUMENT.read_text("utf-8") == portal_contract.contract()


def test_a_value_its_correction_and_its_withdrawal_keep_the_contract(
    portal: Portal, database: Database, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("C1", assessment("C1"))])
    worker = delivery_worker(database, destination(tmp_path, portal.url))
    worker.step(MORNING)
    with database.session() as session:
        outbox.enqueue_correction(
            session, record_id, assessment=assessment("C1", total=6), actor="anna", now=MORNING, destinations=["portal"]
        )
    worker.step(MORNING)
    with database.session() as session:
        outbox.enqueue_withdrawal(session, record_id, reason="wrong-patient", actor="anna", now=MORNING, reopen=False)
    worker.step(MORNING)
    assert states(database) == {D.DELIVERED: 3}
    (measure,) = portal.sandbox.values.of_patient("C1", None)
    assert (measure.status, measure.version, measure.score) == ("entered-in-error", "3", 6)


def test_every_shape_of_a_record_keeps_the_contract(portal: Portal, database: Database, tmp_path: Path) -> None:
    prints = [assessment(f"S{day}", total=day, day=date(2026, 2, day)) for day in range(1, 10)]
    confirm(database, [(printed.patient.family or "", printed) for printed in prints])
    delivery_worker(database, destination(tmp_path, portal.url)).step(MORNING)
    assert states(database) == {D.DELIVERED: 9}


def test_a_lost_answer_is_looked_for_within_the_contract(portal: Portal, database: Database, tmp_path: Path) -> None:
    confirm(database, [("L1", assessment("L1"))])
    faults = f"{portal.sandbox.url}/_sandbox/faults"
    httpx.post(faults, json={"next": ["commit_then_cut"]}).raise_for_status()
    worker = delivery_worker(database, destination(tmp_path, portal.url))
    for minutes in range(0, 120, 20):
        worker.step(MORNING + timedelta(minutes=minutes))
    assert states(database) == {D.DELIVERED: 1}
    assert len(portal.sandbox.values.of_patient("L1", None)) == 1


def test_the_contract_refuses_what_breaks_it(portal: Portal, database: Database, tmp_path: Path) -> None:
    # A destination file that names its key another way: the sandbox never hears of it.
    supplied = Path(portal_contract.__file__).parents[1] / "portal" / "destinations" / "generic-json.yaml"
    (tmp_path / "wrong.yaml").write_text(supplied.read_text().replace("Idempotency-Key:", "Request-Key:"))
    confirm(database, [("W1", assessment("W1"))])
    delivery_worker(database, destination(tmp_path, portal.url, file="wrong.yaml")).step(MORNING)
    assert (states(database), reasons(database)) == ({D.DEAD: 1}, {"http-422"})
    assert portal.sandbox.values.of_patient("W1", None) == []


def test_without_its_token_nobody_gets_past_the_contract(portal: Portal, database: Database, tmp_path: Path) -> None:
    confirm(database, [("N1", assessment("N1"))])
    delivery_worker(database, destination(tmp_path, portal.url, token_header="X-Api-Key")).step(MORNING)
    assert reasons(database) == {"http-401"}
