"""The words that EHRs print for headings, severities, answers and missing scores, and how values look."""

from __future__ import annotations

import re
from typing import Final

from parsers.template_parts import Field

SYNONYMS: Final[dict[Field, str]] = {
    Field.NAME: "name|patient|client|member|student|pupil|person|resident|individual|consumer|respondent|patient name|"
    "client name|"
    "member name|person served|full name|patient name last first|name last first|patient full name",
    Field.FAMILY: "last|last name|surname|family name|lastname|patient last name|client last name",
    Field.GIVEN: "first|first name|forename|given name|firstname|patient first name|client first name",
    Field.MIDDLE: "middle|middle name|mi|m i|middle initial",
    Field.SUFFIX: "suffix|gen|generation|name suffix",
    Field.BIRTH_DATE: "dob|d o b|birth date|birthdate|date of birth|born|birthday|birth day|birth dt|born on|birth",
    Field.MRN: "mrn|m r n|pid|chart|chart #|chart no|chart number|chart id|record #|record no|record number|case no|"
    "case id|"
    "pt id|pt no|pt #|patient record number|mr|mr #|mr no|medical record|med record|record id|ehr id|unique id|id #|"
    "medical record number|medical record no|med rec no|patient number|patient id|patient no|patient #|client id|"
    "client no|client number|client #|case number|case #|member no|member id|member number|file|file no|file number|"
    "identifier|student no|student id|student number|patient identifier|account|acct|acct #|acct no|account no|"
    "account number|id|id number|medical record #",
    Field.SEX: "sex|gender|sex at birth|legal sex|administrative sex|birth sex|gender identity",
    Field.PHONE: "phone|telephone|phone number|phone no|tel|mobile",
    Field.INSTRUMENT: "instrument|instrument name|assessment|assessment name|measure|measure code|measure name|meas|"
    "test|"
    "test name|scale|tool|questionnaire|screening|screen|screener|survey|screening tool|assessment tool",
    Field.TOTAL: "raw|total severity|score severity|score interpretation|total|score|total score|raw score|"
    "points|value|measure total|sum|sum score|score max|total points|"
    "latest total|latest score|current total|result value|raw total|score total|overall score|current score",
    Field.SEVERITY: "severity|severity level|severity band|level|band|interpretation|finding|reading|result|"
    "latest band|"
    "category|risk level|range|latest level|severity range|score category|meaning",
    Field.AUTHORED_ON: "date|appt|appointment|appt date|appointment date|date time|assessment date|visit|"
    "visit date|session|session date|service date|svc date|completed|"
    "completed on|date completed|given on|administered|administered on|date administered|date given|performed|"
    "performed on|test date|measure date|answered on|filled in on|assessed at|assessed on|latest on|date of service|"
    "given|rated|rated on|filled out|filled out on|survey date|dos|current date|screen date|screened|visit date time|"
    "date of visit|encounter date|taken|collected|date collected|"
    "result date|date recorded|date of assessment|date of screening|assessed|given|"
    "score date|screening date|screened on|taken on|date taken|completion date|latest date|"
    "day|visit day|session day|test day|screen day|screening day|assessment day|seen|seen on|visited|visited on|"
    "filled in",
    Field.AUTHORED_TIME: "time|visit no|visit number|visit #",
    Field.LABEL: "question|questions|statement|problem|symptom|item text|over the last two weeks|"
    "over the last 2 weeks|"
    "question text|item|items|statements|questions asked|description|over the past two weeks|over the past 2 weeks",
    Field.ANSWER: "answer|response|answer given|reply|patient response|selected answer",
    Field.RINGED: "circle one|circle|circle a number|circle one number|circle the number|circle your answer|"
    "circle one answer|ring one|ring a number|please circle|please circle one|mark one|choose one",
    Field.POINTS: "pts|score|points|value|item score",
    Field.IGNORE: "flag|flags|encounter|encounter number|payer|coverage|attending|rater|reviewer|counselor|host|"
    "session id|source|"
    "credential|comment text|seen by|rendering provider|entered by|staff|staff name|pcp|prior date|prior score|"
    "prior|change|reviewed by|"
    "user|provider name|ordering provider|primary clinician|site|mi range|normal range|reference range|"
    "last visit|provider|clinician|therapist|program|location|age|notes|comment|comments|no|#|row|nr|line|status|"
    "department|unit|ward|insurance|payer|visit type|enrolled|enrolled on|enrollment|enrollment date|admitted|"
    "admission date|admit date|referred|referral date|start date|end date|discharged|wks|weeks|weeks in care|days|"
    "months|cm|care manager|case manager|follow up due|follow up|due|due date|next visit|next appt|next appointment|"
    "day program|day hospital|day treatment|parent guardian|guardian|ordered by|room|bed|lang|language|race|"
    "ethnicity|zip",
}  # fmt: skip

# Dates of something else than a questionnaire, whatever other date a row has.
NO_VISIT: Final = frozenset({
    "enrolled", "enrolled on", "enrollment", "enrollment date", "admitted", "admission date", "admit date", "referred",
    "referral date", "start date", "end date", "discharged", "follow up due", "follow up", "due", "due date",
    "next visit", "next appt", "next appointment",
})  # fmt: skip
# What labels say of the day when persons were seen.
VISITS: Final = frozenset({
    "seen", "visit", "visited", "visits", "session", "service", "dos", "encounter", "appointment", "appt", "assessed",
    "assessment", "screened", "screening", "administered", "taken", "rated",
})  # fmt: skip
ITEM_FIELDS: Final = (Field.LABEL, Field.ANSWER, Field.RINGED, Field.POINTS)
# A second score of the same row ("Previous Total") is not the one to send.
OTHER_TIME: Final = frozenset({"previous", "prior", "baseline", "change", "delta", "trend", "last", "first", "initial",
    "prev", "base", "chg",
})  # fmt: skip
# Words that headings cut short, and what they stand for.
ABBREVIATIONS: Final = {
    "pt": "patient", "pat": "patient", "dt": "date", "svc": "service", "interp": "interpretation",
    "instr": "instrument",
    "nbr": "number", "num": "number", "tot": "total", "sev": "severity", "prov": "provider", "clin": "clinician",
    "loc": "location", "dept": "department", "enc": "encounter", "pts": "points", "desc": "", "description": "",
    "assmt": "assessment", "asmt": "assessment", "quest": "questionnaire", "bd": "birth date", "bdate": "birth date",
}  # fmt: skip
# Whose data a heading says it is; what follows tells what it is.
OWNERS: Final = frozenset({"patient", "client", "member", "student", "resident", "person", "consumer", "individual"})
# The answers of forms that ask how often in two weeks, with their points (PHQ-9, GAD-7: Kroenke and Spitzer).
FREQUENCIES: Final = {"not at all": 0, "several days": 1, "more than half the days": 2, "nearly every day": 3}
SEVERITIES: Final = frozenset({
    "none", "minimal", "none-minimal", "mild", "moderate", "moderately severe", "severe", "low", "high", "low risk",
    "moderate risk", "high risk", "severe risk", "normal", "subthreshold", "positive", "negative", "absent",
    "substantial", "borderline",
})  # fmt: skip
SEX: Final = frozenset({"f", "m", "x", "female", "male", "other", "u", "unknown", "w"})
NO_SCORE: Final = frozenset({
    "declined", "decl", "ref", "unable", "not scored", "not completed", "refused",
    "n/a", "na", "not done", "not given", "none", "-", "--", "–", "—", "nd",
    "incomplete", "no score", "not assessed", "deferred",
})  # fmt: skip
# What stands beside a question that was left out.
NO_ANSWER: Final = frozenset({
    "no answer", "not answered", "unanswered", "no response", "left blank", "blank", "skipped", "not given", "missing",
})  # fmt: skip
# Boxes to tick, ticked or not, as fonts with signs print them.
BOXES: Final = frozenset("☐☑☒□■▢▣❏❐❑❒◻◼○●◯◉⦿✓✔✗✘")
# How the header of a question column goes on: "Over the last two weeks, how often have you been bothered by …".
ASKING: Final = re.compile(r"(over|in|during|within) the (last|past)\b|how often|how much|please (rate|indicate)")
# The answers that stand for no point where a column stands for each answer.
NO_POINT: Final = frozenset({"not at all", "never", "none", "at no time", "almost never", "hardly ever"})
CHOICES: Final = frozenset({
    "not at all", "several days", "more than half the days", "nearly every day", "a little bit", "moderately",
    "quite a bit", "extremely", "never", "rarely", "sometimes", "often", "very often", "always", "almost never",
    "fairly often", "none", "mild", "moderate", "severe", "at no time", "some of the time", "all of the time",
    "less than half of the time", "more than half of the time", "most of the time", "half the days", "some days",
    "most days", "daily", "every day", "a few days", "half the time", "all the time", "occasionally", "seldom",
    "frequently", "constantly", "somewhat", "very much", "not much", "a lot", "a little", "hardly ever",
})  # fmt: skip
ITEM_NUMBER: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9-]*[ _])?(?:q|item|question|itm|i)?[ _#.]*0?(\d{1,2})", re.IGNORECASE
)
CLINIC: Final = re.compile(
    r"\b(health|clinic|counseling|counselling|psychiatry|psychology|cent(?:er|re)|hospital|associates|practice|"
    "behavioral|"
    r"behavioural|medical|medicine|therapy|services|institute|family|wellness|partners|group)\b", re.IGNORECASE
)  # fmt: skip
# Words of a report's title, which no clinic is called by.
TITLES: Final = frozenset({
    "report", "worklist", "roster", "registry", "register", "results", "log", "list", "listing", "summary", "schedule",
})  # fmt: skip
SCORE: Final = re.compile(r"\d{1,3}(\s*(/|(out )?of)\s*\d{1,3})?(\s*[-–—:(]?\s*[^\W\d][^\d]*)?")
MRN: Final = re.compile(r"[A-Za-z]{0,4}[- ]?\d[\d-]{2,}[A-Za-z]{0,2}(-\d+)?")
NAME: Final = re.compile(r"[^\W\d_][^\d]*")

LONGEST_NAME: Final = 7  # words of an instrument's name
LONGEST_TEXT: Final = 60

USUAL_DATE_FORMATS: Final = (
    "%m/%d/%Y", "%d/%m/%Y", "%A, %B %d, %Y", "%A %d %B %Y", "%A, %d %B %Y", "%a %m/%d/%Y", "%Y %b %d", "%Y-%m-%d",
    "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%m.%d.%Y", "%Y/%m/%d", "%m/%d/%y",
    "%d/%m/%y", "%d.%m.%y", "%m-%d-%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%d-%b-%y",
    "%Y%m%d", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M %p", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%b %d,%Y", "%b %d,%Y@%H:%M", "%b %d,%Y@%H:%M:%S", "%d%b%Y", "%a %d%b%Y", "%d%b%y", "%a %d %b %Y", "%a, %b %d, %Y",
    "%a %m/%d/%y", "%a %d/%m/%y", "%a %d/%m/%Y", "%a %d-%b-%y", "%m/%d/%Y %I:%M%p", "%m/%d/%y %I:%M%p",
    "%m/%d/%y %I:%M %p", "%m/%d/%y %H:%M", "%d/%m/%Y %H:%M", "%d/%m/%y %H:%M", "%a %m/%d/%y %I:%M%p",
    "%a %m/%d/%y %I:%M %p", "%a %m/%d/%Y %I:%M%p", "%a %m/%d/%Y %I:%M %p", "%a %m/%d/%y %H:%M", "%a %m/%d/%Y %H:%M",
    "%a %d/%m/%y %H:%M", "%a %d/%m/%Y %H:%M", "%d-%b-%Y %H:%M", "%d %b %Y %H:%M",
)  # fmt: skip
