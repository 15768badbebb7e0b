"""Titles, clinics' names, page numbers and legends of a sample: what may be printed besides records."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence
from typing import Final

from parsers.drafting.vocabulary import CHOICES, NO_SCORE
from parsers.drafting.words import behind_name, heading_means, is_clinic_name, plain, share
from parsers.explanation import Explanation
from parsers.lines import Line, folded, joined, lines_of
from parsers.template_parts import IDENTITY, Field
from records.finding import Finding
from records.geometry import Region

_MONTH: Final = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_LOUD_MONTH: Final = (
    "(?:JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?|SEPT?(?:EMBER)?|OCT(?:OBER)?|"
    "NOV(?:EMBER)?|DEC(?:EMBER)?)"
)
_MOST_RUNS: Final = 5  # a page foot has a left, a middle and a right part, perhaps with bars between
_ANSWERS: Final = 3  # single digits on one line that look like the answers to a question
_SAME_START: Final = 4  # words in common that make two lines one piece of print
_WEEKDAY: Final = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,?"
_CHANGING: Final = re.compile(
    # "15,2026@02:15" is one word.
    r"\d[\w/.:-]*?(?:,\d{4}(?:@[\d:]+)?)?[,.;]?|[AP]M|" + _MONTH + "|" + _LOUD_MONTH + "|" + _WEEKDAY
)
# Behind these stands who printed the report.
_USERS: Final = frozenset({"by", "user", "usr", "operator", "userid"})
_STAFF: Final = frozenset({"reviewer", "rater", "attending", "clinician", "provider", "therapist", "counselor"})
# Words of titles and remarks, which no name has.
_PLAIN: Final = frozenset(
    {"continued", "cont", "results", "result", "report", "page", "summary", "office", "records", "weeks", "often"}
)
# What titles do not begin with.
_NO_TITLE: Final = frozenset({"dear", "printed", "run", "page", "date", "prepared", "as", "usr", "user"})
_COMPANY: Final = re.compile(r",? (P\.?C|P\.?A|PLLC|LLC|L\.?L\.?C|LLP|Inc|Ltd|Corp|Co)\.?$")
_NOTHING: Final = frozenset(folded(word) for word in NO_SCORE if any(char.isalpha() for char in word))
# A text and whether it is a regular expression.
Piece = tuple[str, bool]


def pattern_of(text: str) -> Piece:
    """A line as furniture: exact, or as a pattern where it holds dates or numbers, which change from print to print."""
    words = text.split()
    if words[:1] == ["Dear"]:
        return "Dear .+", True
    labelled = words[0].endswith(":") or words[0].casefold() in _STAFF
    if len(words) > 1 and labelled and heading_means(words[0].rstrip(":")) is Field.IGNORE:
        # A label that is known and not used: behind it stands a name more often than not. Without a colon it must be
        # nobody's surname: a pattern that begins with "Ward" would swallow the row of a patient called so.
        return re.escape(words[0]) + " .+", True
    users = [before.casefold().strip(":") in _USERS for before in ["", *words[:-1]]]
    if not any(_CHANGING.fullmatch(word) for word in words) and not any(users):
        return _ruler(text) or (text, False)
    return " ".join(r"\S+" if user else _generalised(w) for user, w in zip(users, words, strict=True)), True


def _generalised(word: str) -> str:
    if re.fullmatch(_MONTH, word) or re.fullmatch(_WEEKDAY, word):
        return "[A-Z][a-z]+" + (re.escape(word[-1]) if word[-1] in ",." else "")
    if re.fullmatch(_LOUD_MONTH, word):
        return "[A-Z]{3,9}"
    if re.fullmatch("[AP]M", word):
        return "[AP]M"
    if not _CHANGING.fullmatch(word):
        return re.escape(word)
    stop = word[-1] if word[-1] in ",.;" else ""
    whole = r"\d[\w/.:,@-]*" if re.search(r"[,@]\d", word) else r"\d[\w/.:-]*"
    return whole + re.escape(stop)


def _ruler(text: str) -> Piece | None:
    marks = set(text) - {" "}
    if len(text) >= 5 and not any(char.isalnum() for char in text):
        return f"[{re.escape(''.join(sorted(marks)))} ]{{5,}}", True
    return None


def title_of(runs: Sequence[str], heights: Sequence[float] = (), *, values: Collection[str] = ()) -> str | None:
    """The lasting words of the title, without the clinic's name and the date: of the largest print, else the first.

    Args:
        runs: What the top of a page prints, run by run.
        heights: How high each run is printed; may be left out.
        values: What labels and columns print: a patient's name may be larger than any title.
    """
    sized = heights or [0.0] * len(runs)
    for _, run in sorted(zip(sized, runs, strict=True), key=lambda pair: -round(pair[0])):
        for part in re.split(r"\s+[-–—|·•]\s+", run):
            kept: list[str] = []
            for word in part.split():
                if _CHANGING.fullmatch(word):
                    break
                kept.append(word)
            text = " ".join(kept).strip(" ,;:-–—")
            wordy = len(text) >= 6 and any(char.isalpha() for char in text)
            titled = heading_means(text.partition(":")[0]) is None and not is_clinic_name(_COMPANY.sub("", text))
            titled = titled and text not in values and not re.search(r"(^|\s)[A-Z]\.(\s|$)", text)
            if wordy and titled and kept[0].casefold().rstrip(":") not in _NO_TITLE:
                return text
    return None


def clinic_of(runs: Sequence[str]) -> str | None:
    """The first text that reads like a clinic's name, or None."""
    companies = [run for run in runs if _COMPANY.search(run) and is_clinic_name(_COMPANY.sub("", run))]
    if companies:
        return companies[0]
    parts = [part.strip() for run in runs for part in re.split(r"\s+[-–—|·•]\s+|,\s", run)]
    return next((part for part in parts if is_clinic_name(part)), None)


def _common_start(texts: Sequence[Sequence[str]]) -> list[str]:
    alike = itertools.takewhile(lambda words: len(set(words)) == 1, zip(*texts, strict=False))
    return [words[0] for words in alike]


def general_pieces(texts: Sequence[str]) -> list[Piece]:
    """Lines of several pages as furniture: those that begin alike and end differently as one pattern."""
    begun: dict[tuple[str, ...], list[str]] = {}
    for text in dict.fromkeys(texts):
        begun.setdefault(tuple(text.split()[:_SAME_START]), []).append(text)
    pieces: list[Piece] = []
    for words, lines in begun.items():
        exact = list(dict.fromkeys(pattern_of(text) for text in lines))
        wordy = len(words) == _SAME_START and sum(word.isalpha() for word in words) >= _SAME_START - 1
        if len(exact) > 1 and wordy:
            shared = _common_start([text.split() for text in lines])
            pieces.append((" ".join(map(_generalised, shared)) + "( .+)?", True))
        else:
            pieces += exact
    return list(dict.fromkeys(pieces))


def as_furniture(seen: Explanation) -> list[Piece]:
    """What the draft leaves unclaimed above and below the records of each page, as furniture.

    What stands between records, beside other left-over runs, or looks like a person's name stays unclaimed: it may be
    a row the draft did not understand.
    """
    boxes: dict[int, list[Region]] = {}
    # A bare date is a visit's, unless each record has one of its own.
    dated = all(row.cell(Field.AUTHORED_ON) is not None for row in seen.report.rows)
    for row in seen.report.rows:
        if row.page is not None and row.region is not None:
            boxes.setdefault(row.page, []).append(row.region)
    left = [f for f in seen.report.findings if f.code == "unclaimed-word"]
    if seen.document is None:
        return [pattern_of(f.detail) for f in left if not is_personal(f.detail)]
    lines = {page.number: lines_of(page.words) for page in seen.document.pages}
    lasting = _lasting(left, boxes)
    found: list[Piece] = []
    for finding in left:
        region = finding.region
        if region is None or region.page not in boxes:
            continue
        outside = region.bottom <= min(b.top for b in boxes[region.page]) + 1
        outside = outside or region.top >= max(b.bottom for b in boxes[region.page]) - 1
        if folded(finding.detail) in _NOTHING:
            continue
        if pattern_of(finding.detail) in lasting:
            found.append(pattern_of(finding.detail))
            continue
        # Words around it that a title or a clinic's name has claimed belong to the same line of print.
        near = [line for line in lines[region.page] if _same_height(line.region, region)]
        whole = min(near, key=lambda line: abs(line.region.center[1] - region.center[1]), default=None)
        runs = [joined(run) for run in whole.runs()] if whole is not None else [finding.detail]
        unknown = {f.detail for f in left if f.region is not None and f.region.page == region.page}
        doubted = [run for run in runs if run in unknown]
        bare = dated and len(runs) == 1 and share(Field.AUTHORED_ON, runs) == 1
        # The date of a print stands beside the number of its page.
        paged = dated and any(re.match(r"page\W{0,2}\d", run, re.IGNORECASE) for run in runs)
        doubted = [run for run in doubted if not (paged and share(Field.AUTHORED_ON, [run]) == 1)]
        many = len(doubted) > _MOST_RUNS or _holds_answers(runs) or tells_a_score(runs)
        if outside and not many and (bare or not any(is_personal(run) for run in doubted)):
            found.append(pattern_of(" ".join(runs)))
    return found


def _lasting(left: Sequence[Finding], boxes: dict[int, list[Region]]) -> set[Piece]:
    """What every page of one record each prints in the same words, but for its numbers, wherever it stands.

    What begins with the label of a value is none of it: that is a value which was not read.
    """
    pages: dict[Piece, set[int]] = {}
    for finding in left:
        texts = [" ".join(finding.detail.split()[:n]) for n in range(1, 4)]
        labelled = any(heading_means(text.rstrip(":")) not in (None, Field.IGNORE) for text in texts)
        if finding.region is not None and not labelled and not is_personal(finding.detail):
            pages.setdefault(pattern_of(finding.detail), set()).add(finding.region.page)
    single = len(boxes) > 1 and all(len(found) == 1 for found in boxes.values())
    return {piece for piece, on in pages.items() if single and on >= boxes.keys() and len(piece[0].split()) > 1}


def _holds_answers(runs: Sequence[str]) -> bool:
    """Whether a line may be a question with its possible answers: never furniture, whatever stands around it."""
    if _explains_answers(" ".join(runs)):
        return False
    return sum(re.fullmatch(r"\(?\d\)?", word) is not None for run in runs for word in run.split()) >= _ANSWERS


# "Mood total: 12", "Total score 14 / 27 (Moderate)"; what is counted is none.
_TOTAL: Final = re.compile(
    r"(?:[^\W\d][\w'’/-]*[ :]+){0,4}(?:total|score|sum|points)(?: [^\W\d]\w*)?\s*[:=]?\s*"
    r"\d{1,3}(?: ?(?:/|of|out of) ?\d{1,3})?(?: \(?[^\W\d][^\d:]*)?",
    re.IGNORECASE,
)
_COUNTED: Final = re.compile(
    r"\b(?:records?|patients?|clients?|pages?|rows?|entries|results?|people|students?|visits?|screens?|assessments?|"
    r"forms?|reports?|questionnaires?)\b",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(r"[:=-]?\s*\d{1,3}(?: ?(?:/|of) ?\d{1,3})?(?: \(?[^\W\d][^\d:]*)?")


def tells_a_score(runs: Sequence[str]) -> bool:
    """Whether a line that nothing claims may be a total or an answer in words: never furniture, or it is lost."""
    text = " ".join(runs)
    total = _TOTAL.fullmatch(text) is not None and _COUNTED.search(text) is None
    # Where more is printed beside a question than one answer, the line shows what can be answered.
    worded = [run for run in runs if any(character.isalpha() for character in run)]
    answer = len(worded) == 2 and plain(worded[-1]) in CHOICES and not _explains_answers(text)
    return total or answer or _VALUE.fullmatch(behind_name(text)) is not None


def _explains_answers(text: str) -> bool:
    """Whether a line says what the points of all answers mean and nothing else ("0 not at all, 1 several days, …")."""
    said = [plain(part) for part in re.split(r"[\d=,;:.()–-]+", text)]
    known = [part for part in said if part in CHOICES]
    others = [part for part in said if part and part not in CHOICES]
    return len(set(known)) >= _ANSWERS and len(known) == len(set(known)) and len(" ".join(others).split()) <= 2


def _same_height(one: Region, other: Region) -> bool:
    return one.top - 1 <= other.center[1] <= one.bottom + 1


def _is_about_somebody(text: str) -> bool:
    """Whether a text begins with the label of somebody's name, number or birth date, and goes on."""
    words = text.split()
    return any(heading_means(" ".join(words[:n]).rstrip(":")) in IDENTITY for n in range(1, min(4, len(words))))


def may_be_a_record(line: Line) -> bool:
    """Whether a line may be a row of somebody's data rather than page furniture: then it is never written down."""
    runs = [joined(run) for run in line.runs()]
    shaped = len(runs) > _MOST_RUNS or _holds_answers(runs) or tells_a_score(runs)
    return shaped or any(is_personal(run) for run in runs)


def is_personal(text: str) -> bool:
    """Whether a text may be a row: a person's name with a comma, or a bare date or number."""
    plain = any(word.strip(",.").casefold() in _PLAIN for word in text.split()) or text.startswith("Dear ")
    named = "," in text and share(Field.NAME, [text]) == 1 and len(text.split()) <= 4 and not plain
    return (
        named
        or _is_about_somebody(text)
        or share(Field.AUTHORED_ON, [text]) == 1
        or re.fullmatch(r"[A-Z]{0,4}-?\d{3,}", text) is not None
    )
