"""What keeps a record from being sent without a person, in codes for programs and sentences for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from records.geometry import Region

# One sentence per code, as the reviewer reads it. A code that carries a number ("item-3-blank") is listed with {n}.
REASONS: Final[dict[str, str]] = {
    # whole file
    "damaged": "The file is damaged and cannot be opened.",
    "empty-file": "The file is empty.",
    "not-a-pdf": "The file is named as a PDF but holds something else.",
    "encrypted": "The file is protected by a password.",
    "incomplete": "The file ends before its end: it was cut off or is still being written.",
    "pages-missing": "The print says it has more pages than the file holds.",
    "too-many-pages": "The file has more pages than the limit for one report.",
    "too-complex": "A page holds more objects than any report would.",
    "page-too-large": "A page is larger than any report would be.",
    "reader-timeout": "Reading took longer than allowed and was stopped.",
    "reader-memory": "Reading needed more memory than allowed and was stopped.",
    "reader-died": "The reading process died on this file.",
    "no-text": "The file has no readable text; it may be a scan.",
    "csv-malformed": "The table file has rows of different lengths or cannot be decoded.",
    "file-vanished": "The file disappeared before it could be read.",
    "file-locked": "The file cannot be opened; another program may hold it.",
    "file-too-large": "The file is larger than the limit for one report.",
    "unsafe-path": "The path leads out of the watched folder or is a link.",
    # template
    "no-template": "No template recognises this layout.",
    "ambiguous-template": "More than one template recognises this layout.",
    "template-held": "The template of this layout is on hold.",
    "template-shadow": "The template of this layout is being tried out and does not send yet.",
    "no-records": "The template fits, but not one record was found.",
    "other-site": "The report names another clinic than the folder it came from.",
    # claimed page
    "unclaimed-word": "Something is printed on this page that the template does not account for.",
    "table-not-found": "The table's heading was not found where the template expects it.",
    "column-boundary": "Words run over the border between two columns.",
    "row-ambiguous": "A printed line cannot be given to one row.",
    "csv-open-end": "The last line of the file has no end; it may have been cut off.",
    "cell-unreadable": "A cell that holds several values does not have the form that the template says.",
    "label-repeated": "A label is printed more than once in this record.",
    "label-missing": "A label of the template is not printed in this record.",
    # readers agree
    "readers-differ": "Two readings of this row differ.",
    "digits-differ": "An independent reading of the page does not show the same digits.",
    "marks-differ": "An independent reading of the page does not show the same marks.",
    # label beside value
    "item-label": "An answer does not stand beside its own question.",
    "item-order": "The questions are not in their order.",
    "item-count": "The number of answers is not the number of questions of this form.",
    # clinical
    "instrument-missing": "No questionnaire is named.",
    "instrument-unknown": "The questionnaire is not in the library.",
    "instrument-ambiguous": "The questionnaire's name does not say which scoring was used.",
    "instrument-unverified": "A scoring fact of this questionnaire has not been checked against its source.",
    "total-missing": "The total score is blank.",
    "total-unreadable": "The total score cannot be read as a whole number.",
    "total-out-of-range": "The total score is outside the questionnaire's range.",
    "sum-differs": "The answers do not add up to the printed total.",
    "severity-differs": "The printed severity does not belong to the printed total.",
    "severity-not-checked": "The printed severity could not be compared with the total.",
    "result-unreadable": "The result cannot be read.",
    "item-{n}-blank": "Answer {n} is blank.",
    "item-{n}-unreadable": "Answer {n} cannot be read.",
    "item-{n}-out-of-range": "Answer {n} is outside the range of its question.",
    "item-{n}-words-differ": "The words and the points of answer {n} do not belong together.",
    "date-missing": "The date of the questionnaire is missing.",
    "date-unreadable": "The date of the questionnaire cannot be read.",
    "date-ambiguous": "Day and month of the date cannot be told apart.",
    "date-in-future": "The date of the questionnaire lies in the future.",
    "date-before-birth": "The date of the questionnaire lies before the date of birth.",
    "birth-date-unreadable": "The date of birth cannot be read.",
    "birth-date-ambiguous": "Day and month of the date of birth cannot be told apart.",
    "birth-date-implausible": "The date of birth lies in the future or more than 120 years back.",
    "name-missing": "No name is printed.",
    "name-unreadable": "The name cannot be taken apart.",
    "mrn-unreadable": "The record number was turned into another number by a spreadsheet.",
    "sex-unreadable": "The sex cannot be read.",
    # text quality
    "text-quality": "Some characters of this row could not be decoded.",
    "invisible-text": "Text of this page is invisible or was added by text recognition.",
    "text-overlaps": "Characters are printed on top of each other.",
    "text-covered": "Something covers text of this row: the file says more than the eye sees.",
    "drawn-digits-differ": "The digits drawn on the page do not look like those the file says they are.",
    "drawn-digits-unclear": "The shapes of some digits could not be told for sure; compare them with the picture.",
    "scanned-page": "A page is a picture without text; nothing on it was read.",
    "ocr-text": "The values were recognised in a picture; compare each with it.",
    # patient
    "patient-not-found": "Nobody on the roster is near this print.",
    "patient-below-threshold": "The best patient is not certain enough.",
    "one-identifier": "Only one identifier agrees; two are needed.",
    "near-second": "Another patient is nearly as likely.",
    "mrn-conflict": "The record number belongs to somebody else.",
    "mrn-unknown": "The record number is not on the roster.",
    "mrn-near": "The record number is close to this patient's, but not equal.",
    "birth-date-conflict": "The birth date differs from this patient's.",
    "birth-date-near": "The birth date is close to this patient's, but not equal.",
    "birth-date-missing": "No birth date is printed, and no record number agrees.",
    "birth-date-default": "So many patients have this birth date that it says nothing about one.",
    "name-conflict": "The name differs from this patient's.",
    "name-incomplete": "Part of the name is missing.",
    "name-cut-off": "Only the beginning of the name is printed: others may begin like it.",
    "sex-conflict": "The sex differs from this patient's.",
    "suffix-conflict": "Jr, Sr or a number after the name differs from this patient's.",
    "middle-conflict": "The middle name differs from this patient's.",
    "twin": "Another patient shares the birth date and the family name.",
    "namesake": "Another patient has the same name.",
    "vetoed": "A person has said before that this print is not this patient.",
    "alias-suspended": "A person decided this print before, but the roster has changed since.",
    "patient-inactive": "The patient is marked inactive.",
    "merged-unlike": "The record was merged into a patient whose name and birth date are others.",
    "roster-missing": "There is no roster for this site.",
    "roster-stale": "The roster is older than allowed.",
    "test-patient": "The name looks like a test entry.",
    # new
    "duplicate": "The same values of this assessment are known already.",
    "duplicate-file": "This file has been taken before.",
    "correction": "This assessment is known with other values.",
    "taken-back": "A person has taken the confirmation of this record back.",
    "identity-corrected": "A person has corrected who this print is about; compare it with the print.",
    "patient-registered": "Nobody near this print was on the roster before; somebody is now.",
    "rejected-before": "The same row was rejected by a person before.",
    "critical-unreadable": "An answer about self-harm cannot be read.",
    "backlog": "The file is older than the first day of this source.",
}

_NUMBER = re.compile(r"-(\d+[a-z]?)(?=-|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it must be, or is worth a note.

    Attributes:
        code: A key of `REASONS`, with its number filled in.
        region: Where on the page, or None if it is about the whole file or record.
        blocking: False for a note that does not stop an automatic confirmation.
        detail: More for the reviewer's eyes; may hold patient data, so it never leaves the store.
    """

    code: str
    region: Region | None = None
    blocking: bool = True
    detail: str = ""

    def __post_init__(self) -> None:
        sentence(self.code)


def sentence(code: str) -> str:
    """The plain sentence of a reason code.

    Raises:
        ValueError: There is no such code.
    """
    if code in REASONS:
        return REASONS[code]
    number = _NUMBER.search(code)
    pattern = _NUMBER.sub("-{n}", code, count=1)
    if number is None or pattern not in REASONS:
        raise ValueError(f"no reason code {code!r}")
    return REASONS[pattern].replace("{n}", number.group(1))
