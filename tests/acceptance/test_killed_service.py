"""Whatever dies or misbehaves on the way, each assessment is in the portal exactly once and nothing is lost."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from ingest.settings import load_settings
from portal.sandbox import SandboxOptions, running_sandbox
from portal.sandbox_values import Faults
from records.submission import DeliveryState
from store import audit, balance, outbox, reports
from store import database as databases
from tests.acceptance.clinic import FULL, SITE, Clinic, people, report_pdf, scores, wait_for

REPORTS, KILLS = (300, 50) if FULL else (30, 5)
BAD_PORTAL = Faults(
    unavailable=0.05, too_many=0.05, hang=0.01, slow=0.05, commit_then_cut=0.10, cut_before_commit=0.03,
    retry_after=0.2, hang_seconds=2, slow_seconds=0.3, seed=20260914,
)  # fmt: skip


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
def test_each_assessment_arrives_exactly_once_though_the_service_is_killed_and_the_portal_fails(tmp_path: Path) -> None:
    chance = random.Random(50)
    roster = people(120, seed=1)
    printed = scores(roster, REPORTS * 3, seed=2)
    files = [report_pdf(printed[3 * n : 3 * n + 3], number=n) for n in range(REPORTS)]
    token = tmp_path / "token"
    token.write_text("sandbox-token")
    token.chmod(0o600)
    options = SandboxOptions(
        token="sandbox-token", state=tmp_path / "portal.jsonl", patients=frozenset(p.patient_id for p in roster)
    )
    with running_sandbox(options) as portal:
        clinic = Clinic(folder=tmp_path, portal_url=portal.url, token_file=token)
        clinic.set_up(roster)
        _misbehave(portal.url, BAD_PORTAL)
        dropper = threading.Thread(target=_drop_in_bursts, args=(clinic, files, random.Random(7)))
        dropper.start()
        for _ in range(KILLS):
            clinic.start()
            time.sleep(chance.uniform(1.0, 9.0))
            clinic.kill()
        dropper.join()
        _misbehave(portal.url, Faults())
        clinic.start()
        # Delivered in the store, not only seen in the portal: a value sent twice would still be on its way.
        arrived = wait_for(lambda: _all_delivered(clinic, len(printed)), seconds=900 if FULL else 180)
        assert clinic.stop() == 0
        stored = portal.values.all()

    found = Counter((v.patientId, v.instrument, v.administeredOn.isoformat()) for v in stored)
    missing = [score.key for score in printed if found[score.key] == 0]
    doubled = [key for key, count in found.items() if count > 1]
    values = {(v.patientId, v.instrument, v.administeredOn.isoformat()): v.score for v in stored}
    wrong = [score.key for score in printed if values.get(score.key) not in (None, score.points)]
    found_wrong = f"{len(missing)} missing, {len(doubled)} doubled, {len(wrong)} wrong"
    print(f"{REPORTS} reports, {len(printed)} assessments, {KILLS} kills: {found_wrong}, {len(stored)} in the portal")
    assert (len(missing), len(doubled), len(wrong), len(stored)) == (0, 0, 0, len(printed)), arrived
    _the_store_adds_up(clinic, expected=len(printed))


def _all_delivered(clinic: Clinic, count: int) -> bool:
    settings = load_settings(clinic.config)
    with databases.open_existing(settings.store) as database, database.reading() as session:
        counts = outbox.counts(session)
    return {state: number for state, number in counts.items() if number} == {DeliveryState.DELIVERED: count}


def _misbehave(url: str, faults: Faults) -> None:
    httpx.post(f"{url}/_sandbox/faults", json=faults.model_dump(mode="json")).raise_for_status()


def _drop_in_bursts(clinic: Clinic, files: list[bytes], chance: random.Random) -> None:
    """Bursts of reports; every tenth is printed a second time under another name."""
    rest = list(enumerate(files))
    while rest:
        burst, rest = rest[: max(5, REPORTS // 15)], rest[max(5, REPORTS // 15) :]
        for number, content in burst:
            clinic.drop(f"report_{number:04d}.pdf", content)
            if number % 10 == 0:
                clinic.drop(f"report_{number:04d} again.PDF", content)
        time.sleep(chance.uniform(0.5, 3.0) * KILLS / 10)


def _the_store_adds_up(clinic: Clinic, *, expected: int) -> None:
    settings = load_settings(clinic.config)
    with databases.open_existing(settings.store) as database, database.reading() as session:
        taken = reports.recent(session, limit=10_000)
        states = Counter(report.state.value for report in taken)
        days = {report.seen_at.astimezone(settings.site_settings(SITE).zone).date() for report in taken}
        sums = [balance.of_day(session, site=SITE, day=day) for day in days]
        verdict = audit.verify(session, anchor_file=database.anchor_file)
        print(f"files {dict(states)}, sent {sum(b.sent for b in sums)}, audit events {verdict.events}")
        assert states["handed-over"] == REPORTS
        assert states["duplicate"] == len(range(0, REPORTS, 10))
        assert sum(b.sent for b in sums) == sum(b.printed for b in sums) == expected
        assert balance.mismatches(session) == []
        assert verdict.intact, verdict.reason
        assert outbox.paused(session) == {}
