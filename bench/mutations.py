"""Reports mutated in print, read with the unchanged template: what is confirmed right, held, silently wrong, lost.

    python -m bench.mutations [FOLDER…] [--samples FOLDER] [--each N] [--seed N] [--only REPORT:MUTATION:SEED] [--json]

Reports are the cases of fixtures/forms, the sample reports, and the drill layouts in the FOLDERs (as `bench.drill` has
them, templates drafted from the first day). A PDF is drawn anew with changed words; only reports that read the same
after they were drawn anew without a change are used. Each mutation says what is true of the mutated print, and every
confirmed record must be that, with that patient. The roster holds exactly the people of the unmutated print, so that
nothing waits only because the roster is poor. Wrong ones are printed with what replays them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from bench.mutated_prints import MUTATIONS
from bench.mutated_tables import TABLE_MUTATIONS
from bench.printed_report import PrintedReport, Told, reports, values_of
from fixtures.press.lying import with_standard_font_saying
from ingest.confirmation import findings_for
from ingest.dry_read import DryRead
from ingest.workers import FileToRead
from matching.roster_index import RosterIndex
from parsers.readers import drawing
from parsers.template import Kind
from records.assessment import ReportReading, SymptomAssessment
from records.decision import Decision
from records.errors import DocumentError
from records.patient import LinkPolicy, Roster, RosterPatient

_SAMPLES = Path(__file__).parents[2] / "shared" / "samples"
# Two prints with more values in common than these are of one record: page, family and given name may be a namesake's.
_ALIKE = 3
_COLUMNS = ("mutants", "records", "right", "held", "refused", "wrong", "lost", "only_matching")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one mutated report.

    Attributes:
        counts: Records by class; `only_matching`: would be wrong, had not the patient's identity held it.
        faults: A sentence for each wrong or lost record.
    """

    counts: Counter[str]
    faults: tuple[str, ...] = ()


@dataclass(slots=True)
class _Read:
    """Reads in this process, by the report that is mutated."""

    report: PrintedReport

    def read(self, content: bytes, _: FileToRead) -> ReportReading:
        return self.report.read(content)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--samples", type=Path, default=_SAMPLES)
    parser.add_argument("--each", type=int, default=1, help="mutants of each kind and report")
    parser.add_argument("--share", type=float, default=1.0, help="share of the kinds of mutation tried on each report")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="report, mutation and seed as printed; each may be left empty")
    parser.add_argument("--keep", type=Path, help="where to leave mutated files with a fault")
    parser.add_argument("--why", action="store_true", help="show every mutant, with the reasons of what is held")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    only = [*given.only.split(":"), "", ""][:3]
    by_kind: dict[str, Counter[str]] = {}
    left_out = []
    for report in reports(given.folders, samples=given.samples, only=only[0]):
        if isinstance(report, str):
            left_out.append(report)
            continue
        for kind, seed, mutant in mutants(
            report, seeds=range(given.seed, given.seed + given.each), share=given.share, only=only
        ):
            content, told = mutant
            outcome = judged(report, content, told)
            by_kind.setdefault(kind, Counter()).update(outcome.counts)
            for fault in outcome.faults:
                print(f"{report.name}:{kind}:{seed}: {fault}", flush=True)
            if given.why:
                print(f"{report.name}:{kind}:{seed}: {dict(outcome.counts)}", flush=True)
            if outcome.faults and given.keep is not None:
                given.keep.mkdir(parents=True, exist_ok=True)
                name = f"{report.name}-{kind}-{seed}".replace("/", "-")
                (given.keep / f"{name}.{report.kind}").write_bytes(content)
    return _told_in_full(by_kind, left_out, as_json=given.json)


def mutants(
    report: PrintedReport, *, seeds: Sequence[int], share: float = 1.0, only: Sequence[str] = ("", "", "")
) -> Iterator[tuple[str, int, tuple[bytes, tuple[Told, ...]]]]:
    """The mutants of a report: kind of mutation, seed, the file and what is true of it."""
    for seed in [int(only[2])] if only[2] else seeds:
        for mutation in TABLE_MUTATIONS if report.kind is Kind.CSV else MUTATIONS:
            kind = mutation.__name__
            if only[1] not in ("", kind) or (not only[2] and Random(f"{seed}{kind}{report.name}").random() >= share):
                continue
            made = mutation(report, Random(f"{report.name}:{kind}:{seed}"))
            if made is None:
                continue
            content = made.content if hasattr(made, "content") else drawing.draw(made.sheets)
            for face, says in getattr(made, "maps", {}).items():
                content = with_standard_font_saying(content, face, says)
            if content != report.content:
                yield kind, seed, (content, made.told)


def judged(report: PrintedReport, content: bytes, told: Sequence[Told]) -> Outcome:
    """Read a mutant as `scorebridge read` does, and compare every record with what is true."""
    counts: Counter[str] = Counter(mutants=1, records=len(told))
    dry = DryRead(
        site=report.site, templates=(report.template,), index=RosterIndex.build(_roster(report)), policy=LinkPolicy(),
        pool=_Read(report),  # type: ignore[arg-type]
        today=report.today,
    )  # fmt: skip
    try:
        reading = report.read(content)
    except DocumentError:
        counts["refused"] += len(told)
        return Outcome(counts=counts)
    decided = dry._decided(reading)
    wanted = [_Wanted.of(report, each) for each in told]
    faults: list[str] = []
    waiting: list[SymptomAssessment] = []
    for record in decided:
        alike = next((w for w in wanted if w.open and w.sure and w.values == values_of(record.assessment)), None)
        passes = not _stops(record.assessment, reading)
        sent = record.decision is Decision.CONFIRMED
        if alike is not None and (passes or sent):
            alike.open = False
            counts["held" if record.decision is Decision.REVIEW else "right"] += 1
            continue
        waiting.append(record.assessment)
        if sent:
            counts["wrong"] += 1
            faults.append(f"wrong: {values_of(record.assessment)}")
        else:
            counts["only_matching"] += passes and record.decision is Decision.REVIEW
    _account(waiting, reading, wanted, counts, faults)
    return Outcome(counts=counts, faults=tuple(faults))


@dataclass(slots=True)
class _Wanted:
    """A record that the mutant prints.

    Attributes:
        sure: Whether it may be confirmed, with these values.
        open: Whether nothing that was read stands for it yet.
    """

    values: tuple[object, ...]
    sure: bool
    told: Told
    open: bool = True

    @classmethod
    def of(cls, report: PrintedReport, told: Told) -> _Wanted:
        read = report.assessed(told)
        sure = not told.held and not any(finding.blocking for finding in read.findings)
        return cls(values_of(read), sure, told)

    def may_be(self, read: SymptomAssessment) -> bool:
        """Whether something that was read stands where the record is printed, or says much the same."""
        row = self.told.row
        if read.page != self.told.page or read.line != row.line:
            return False
        here, there = row.region, read.region
        beside = here is None or (there is not None and here.top < there.bottom and there.top < here.bottom)
        return beside or self.likeness(read) > _ALIKE

    def likeness(self, read: SymptomAssessment) -> int:
        """In how many values the two agree."""
        return sum(a == b and a is not None for a, b in zip(self.values, values_of(read), strict=True))


def _account(
    left: Sequence[SymptomAssessment], reading: ReportReading, wanted: Sequence[_Wanted], counts: Counter[str],
    faults: list[str],
) -> None:  # fmt: skip
    """Every record that is not confirmed right is among those that are left, or its page says that something is."""
    waiting = list(left)
    told_pages = {f.region.page if f.region else None for f in reading.findings if f.blocking}
    for want in wanted:
        if not want.open:
            continue
        best = max((read for read in waiting if want.may_be(read)), key=want.likeness, default=None)
        if best is not None:
            waiting = [read for read in waiting if read is not best]
            counts["accounted"] += 1
        elif want.told.page in told_pages or None in told_pages:
            counts["accounted"] += 1
        else:
            counts["lost"] += 1
            faults.append(f"lost: {want.values}")
    accounted = counts.pop("accounted", 0)
    counts["held"] += max(0, accounted - counts["wrong"])


def _stops(assessment: SymptomAssessment, reading: ReportReading) -> bool:
    found = [*assessment.findings, *findings_for(assessment, reading.findings)]
    return any(finding.blocking for finding in found)


def _roster(report: PrintedReport) -> Roster:
    """The people of the unmutated print, each as printed."""
    people = {
        (who.family, who.given, who.middle, who.suffix, who.birth_date, who.mrn, who.sex): who
        for told in report.told
        for who in (report.assessed(told).patient,)
        if who.family and who.given
    }
    return Roster(
        site=report.site,
        as_of=datetime.combine(report.today, datetime.min.time(), UTC),
        patients=tuple(
            RosterPatient(
                patient_id=f"P{number}", site=report.site, family=who.family or "", given=who.given or "",
                middle=who.middle, suffix=who.suffix, birth_date=who.birth_date, mrn=who.mrn, sex=who.sex,
            )
            for number, who in enumerate(people.values())
        ),
    )  # fmt: skip


def _told_in_full(by_kind: dict[str, Counter[str]], left_out: Sequence[str], *, as_json: bool) -> int:
    totals = sum(by_kind.values(), Counter[str]())
    print(f"{'mutation':24}" + "".join(f"{name:>15}" for name in _COLUMNS))
    for kind, counts in [*by_kind.items(), ("all", totals)]:
        print(f"{kind:24}" + "".join(f"{counts[name]:15}" for name in _COLUMNS))
    print("\n".join(f"left out: {reason}" for reason in left_out))
    if as_json:
        figures = {**{name: totals[name] for name in _COLUMNS}, "kinds": len(by_kind), "left_out": len(left_out)}
        goals = {"wrong": 0, "lost": 0, "mutants": 200}
        print(json.dumps({"bench": "mutations", "figures": figures, "goals": goals}))
    return 1 if totals["wrong"] or totals["lost"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
