"""The screen on which one case is decided: everything it shows, and what a person had entered if a form is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from parsers.instrument_library import load_instruments
from records.alert import CriticalAlert
from records.case import CaseState, ReviewCase
from records.errors import DecisionRefusedError, StaleCaseError
from records.patient import Roster, RosterPatient
from review import pace, policies
from review.access import Visitor
from review.case_print import CasePrint, case_print, is_row
from review.case_summary import CaseSummary, case_summary, display_name
from review.case_walk import Walk
from review.correction import critical_item
from review.evidence_table import differences, doubted, evidence_table
from review.office import Office, office_of
from review.rematching import IDENTITY
from review.rendering import REJECT_WORDS, SHORTCUTS, page
from review.second_word import needs_second
from review.viewing import note_view
from store import alerts, aliases, case_locks, cases, decisions, reports, roster, second_words, signatures
from store.case_locks import CaseLock
from store.database import Session
from store.decisions import QueueDecision
from store.second_words import Word

_SHOWN: Final = 3
_SAME: Final = "Two people must say the same before this record is decided."
_OLD_LIST: Final = timedelta(hours=36)
_VALUES: Final = {
    "total-missing": "total", "total-unreadable": "total", "total-out-of-range": "total", "sum-differs": "total",
    "severity-differs": "total", "result-unreadable": "result", "date-missing": "authored_on",
    "date-unreadable": "authored_on", "date-ambiguous": "authored_on", "date-in-future": "authored_on",
    "date-before-birth": "authored_on", "instrument-missing": "instrument", "instrument-unknown": "instrument",
    "instrument-ambiguous": "instrument", "instrument-unverified": "instrument",
}  # fmt: skip
_ABOUT_MATCH: Final = frozenset({"patient-below-threshold", "mrn-near", "mrn-differs", "birth-date-near"})
_KEYS: Final = (
    ("Approve the selected patient", ("A",)),
    ("Select a patient", ("1", "2", "3", "… 9")),
    ("Correct a value", ("E",)),
    ("Next field, next doubtful field", ("Tab", "Enter")),
    ("Save and approve while correcting", ("Ctrl Enter",)),
    ("Find another patient", ("N",)),
    ("Reject this row, then a reason", ("R", "1–5")),
    ("Skip for now", ("S",)),
    ("Undo last decision", ("U",)),
    ("Next, previous record", ("J", "K")),
    ("Page larger, smaller", ("+", "−")),
    ("How it's scored", ("W",)),
    *SHORTCUTS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a form was not taken, and what the person had entered.

    Attributes:
        entered: Values as typed into the correction, or None.
        confirm: A patient to be approved after a second look, or empty.
        chosen: A patient who was selected, or empty.
        is_correction: The assessment has become known with other values, so the person must say what this one is.
        query: What was searched for; `found` is the answer.
    """

    sentence: str = ""
    entered: Mapping[str, str] | None = None
    confirm: str = ""
    chosen: str = ""
    approved_as: str = ""
    is_correction: bool = False
    note: str = ""
    query: str = ""
    found: Sequence[RosterPatient] = ()
    searched: bool = False


def seen_case(session: Session, visitor: Visitor, case_id: int) -> ReviewCase:
    """A case of a site that the visitor sees.

    Raises:
        HTTPException: There is none, or it is another site's: both look alike.
    """
    try:
        case = cases.get(session, case_id)
    except DecisionRefusedError:
        raise HTTPException(status_code=404) from None
    if not visitor.sees(case.site):
        raise HTTPException(status_code=404)
    return case


def case_screen(
    request: Request, visitor: Visitor, case_id: int, trouble: Trouble, *, status: int = 200
) -> HTMLResponse:
    """The page of one case; whoever may decide has it open from now on."""
    office = office_of(request)
    actor, now, walk = visitor.user.name, office.now(), Walk.of(request, visitor)
    decides = visitor.may(policies.DECIDES)
    with office.database.reading() as session:
        case = seen_case(session, visitor, case_id)
        summary = summary_of(session, case, trouble.found)
        lines = evidence_table(summary)
        where = walk.position(session, case_id, actor=actor, now=now)
        following = walk.next(session, actor=actor, after=case_id, now=now)
        before = walk.previous(session, actor=actor, before=case_id, now=now)
        drawn = _drawn(session, office, summary)
        values: dict[str, object] = {
            "summary": summary, "case": case, "trouble": trouble, "assessment": case.assessment, "lines": lines,
            "urgent": _alert(session, case), "proposed": _proposed(session, case), "drawn": drawn,
            "place": where.place, "waiting": where.waiting, "next_case": following, "previous_case": before,
            "why": _why(summary, differences(summary, lines)), "doubtful": doubtful_fields(summary),
            "roster_note": _roster_note(session, office, case), "words": _words(session, case, summary),
            "going_fast": pace.going_fast(session, actor=actor),
            "newest": (newest := _newest(session, visitor)),
            "last": _about(session, newest) if newest and _offers_undo(request) else "",
            "ahead": _ahead(session, following),
        }  # fmt: skip
    people = [(case.site, candidate.patient_id) for candidate in summary.candidates]
    # Others' writes wait for this one, so all that only reads is done before. A case that was decided meanwhile has
    # another version by then, and what is entered here is refused.
    with office.database.session() as session:
        lock = case_locks.open_case(session, case_id, actor=actor, now=now) if decides else None
        note_view(session, visitor, "case.viewed", "case", str(case_id), now=now, patients=people)
    taken = _taken(lock, now) if lock is not None and summary.is_open else ""
    instruments = load_instruments()
    answer = page(
        request, "case.html", visitor=visitor, status=status, **values, taken=taken,
        decides=decides and summary.is_open and not taken, filter=walk.query,
        chosen=trouble.confirm or trouble.chosen or (summary.preselected or ""),
        values=inputs(case, trouble.entered, identity=office.matching is not None), instruments=sorted(instruments),
        instrument=instruments.get(case.assessment.instrument or ""),
        gravest=critical_item(case.assessment, instruments) if case.assessment.critical else None,
        back=f"/cases/{case_id}", shortcuts=_KEYS if visitor.may(policies.DECIDES) else SHORTCUTS,
    )  # fmt: skip
    answer.headers["HX-Push-Url"] = f"/cases/{case_id}{walk.query}"
    return answer


def refused(
    request: Request, visitor: Visitor, case_id: int, refusal: DecisionRefusedError, trouble: Trouble
) -> HTMLResponse:
    """The page again with what was entered and why it was not taken; a case that changed is shown anew by a click."""
    if isinstance(refusal, StaleCaseError):
        return page(
            request, "message.html", visitor=visitor, status=409, heading="This record changed",
            sentence="This record changed since you opened it. Nothing was saved.",
            link=f"/cases/{case_id}{Walk.of(request, visitor).query}", link_words="Show the new version",
        )  # fmt: skip
    return case_screen(request, visitor, case_id, _with(trouble, refusal), status=409)


def _with(trouble: Trouble, refusal: DecisionRefusedError) -> Trouble:
    return replace(trouble, sentence=str(refusal), is_correction=getattr(refusal, "code", "") == "correction")


def summary_of(session: Session, case: ReviewCase, found: Sequence[RosterPatient]) -> CaseSummary:
    """The case with its candidates as the roster knows them today; the roster itself is not needed for that."""
    ids = [candidate.patient_id for candidate in case.match.candidates[:_SHOWN]]
    known = roster.few(session, case.site, ids)
    few = Roster(site=case.site, patients=tuple(known.values()), as_of=case.opened_at)
    ruled_out = {veto.patient_id for veto in roster.vetoes(session, case.site) if veto.fingerprint == case.fingerprint}
    return case_summary(case, few, found=found, ruled_out=ruled_out)


def print_of(session: Session, office: Office, case: ReviewCase) -> CasePrint | None:
    """The printed page of a case, or None if it has none or cannot be drawn."""
    return _drawn(session, office, summary_of(session, case, ()))


def doubtful_fields(summary: CaseSummary) -> frozenset[str]:
    """The inputs whose values something is wrong with."""
    codes = {reason.code for reason in summary.reasons}
    found = {_VALUES[code] for code in codes if code in _VALUES}
    parts = (code.split("-") for code in codes if code.startswith("item-"))
    found |= {f"item-{part[1]}" for part in parts if len(part) > 2 and part[1].isalnum()}
    about_patient = doubted(summary) & {"name", "birth_date", "mrn"} if codes & _ABOUT_MATCH else frozenset()
    return frozenset(found | about_patient)


def shown_values(case: ReviewCase, *, identity: bool = False) -> dict[str, str]:
    """The correctable fields of a case as their inputs show them; with `identity`, who is printed too."""
    assessment = case.assessment
    held = {
        "instrument": assessment.instrument or "",
        "authored_on": assessment.authored_on.isoformat() if assessment.authored_on else "",
        "total": "" if assessment.total is None else str(assessment.total),
        "result": assessment.result or "",
    }
    for item in assessment.items or ():
        held[f"item-{item.link_id}"] = "" if item.points is None else str(item.points)
    if identity:
        born = assessment.patient.birth_date
        known = (assessment.patient.name, born.isoformat() if born else "", assessment.patient.mrn or "")
        held |= dict(zip(IDENTITY, known, strict=True))
    return held


def inputs(case: ReviewCase, entered: Mapping[str, str] | None, *, identity: bool) -> dict[str, str]:
    """The correctable fields with what a person has typed into them."""
    held = shown_values(case, identity=identity)
    return held if entered is None else {field: entered.get(field, value) for field, value in held.items()}


def _why(summary: CaseSummary, differs: str) -> str:
    """The reasons in as few words as say everything: what differs stands for the reasons that say no more."""
    said = [] if not differs or not any(one.code in _ABOUT_MATCH for one in summary.reasons) else [differs]
    for reason in summary.reasons:
        if said and said[0] == differs and reason.code in _ABOUT_MATCH:
            continue
        said.append(f"{reason.sentence[:-1]} ({reason.detail})." if reason.detail else reason.sentence)
    return " ".join(said) or "It was put back into the queue."


def _taken(lock: CaseLock, now: datetime) -> str:
    if lock.is_mine or lock.holder is None or lock.since is None:
        return ""
    minutes = int((now - lock.since).total_seconds() // 60)
    ago = "less than a minute" if minutes < 1 else "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"{lock.holder} opened this {ago} ago."


def _words(session: Session, case: ReviewCase, summary: CaseSummary) -> tuple[str, ...]:
    """What people have said where two must say it, and that two must."""
    if not summary.is_open or not case.critical:
        return ()
    said = [_word_said(session, case, word) for word in second_words.of_case(session, case.case_id)]
    if case.is_answer_gone:
        gone = "An answer about self-harm was read here, and a person has corrected it away."
        said = [gone, *said, "Two people must choose the same patient by the values as they are now."]
    likely = summary.candidates[0].patient_id if summary.candidates else ""
    if said:
        return tuple(said) if case.is_answer_gone else (*said, _SAME)
    if not likely or needs_second(case, likely):
        return ("This is an urgent record with no likely patient: two people must choose the same one.",)
    return ()


def _word_said(session: Session, case: ReviewCase, word: Word) -> str:
    if word.patient_id is None:
        why = REJECT_WORDS[word.reject_reason].lower() if word.reject_reason else "no reason given"
        return f"{word.actor} wants this row rejected ({why}{f': {word.note}' if word.note else ''})."
    patient = roster.patient(session, case.site, word.patient_id)
    return f"{word.actor} has chosen {display_name(patient) if patient else 'a patient who is no longer on the list'}."


def _offers_undo(request: Request) -> bool:
    """Whether the line says what became of the person's last decision: once it is taken back, the last is another."""
    return request.query_params.get("said", "undone") != "undone"


def _newest(session: Session, visitor: Visitor) -> QueueDecision | None:
    """The person's last decision, which this page offers to take back."""
    latest = decisions.recent(session, actor=visitor.user.name, limit=1)
    return latest[0] if latest and visitor.sees(latest[0].site) else None


def _about(session: Session, made: QueueDecision) -> str:
    """Whom a decision was about, for the line that offers to take it back."""
    patient = roster.patient(session, made.site, made.patient_id) if made.patient_id else None
    return display_name(patient) if patient else cases.get(session, made.case_id).assessment.patient.name


def _ahead(session: Session, following: int | None) -> tuple[str, ...]:
    """Pictures of the next case, to be fetched while this one is looked at. The case itself is not opened by it."""
    if following is None:
        return ()
    case = cases.get(session, following)
    if case.assessment.page is None:
        return ()
    whole = f"/reports/{case.report_id}/pages/{case.assessment.page}.png"
    row = case.assessment.region
    return (whole, f"/cases/{following}/row.png") if row and is_row(row) else (whole,)


def _roster_note(session: Session, office: Office, case: ReviewCase) -> str:
    if case.state is not CaseState.OPEN:
        return ""
    in_use = roster.in_use(session, case.site)
    if in_use is None:
        return f"There is no patient list of {case.site}. You can still correct, reject or skip."
    if office.now() - in_use[1] > _OLD_LIST:
        local = office.local(in_use[1], case.site)
        since = f"{local:%d-%b %H:%M}"
        return f"The patient list of {case.site} is of {since}. Whoever came since then is not on it."
    return ""


def _alert(session: Session, case: ReviewCase) -> CriticalAlert | None:
    """The newest alert about this very record."""
    record_id = decisions.case_and_record(session, case.case_id)[0].record_id
    raised = alerts.of_record(session, record_id)
    return max(raised, key=lambda one: one.alert_id, default=None)


def _proposed(session: Session, case: ReviewCase) -> tuple[str, RosterPatient] | None:
    """Who has said of the same print that it is which patient, where a second person must say it too."""
    if case.state is not CaseState.OPEN:
        return None
    source = reports.get(session, case.report_id).source
    alias = aliases.proposal(session, site=case.site, source=source, fingerprint=case.fingerprint)
    patient = roster.patient(session, case.site, alias.patient_id) if alias else None
    return (alias.said_by, patient) if alias and patient else None


def _drawn(session: Session, office: Office, summary: CaseSummary) -> CasePrint | None:
    number = summary.assessment.page
    if number is None:
        return None
    image = office.images.page(summary.case.report_id, number)
    if image is None:
        return None
    found = signatures.landmarks(session, summary.case.report_id)
    return case_print(image, summary.assessment, landmarks=found, doubted=doubted(summary))
