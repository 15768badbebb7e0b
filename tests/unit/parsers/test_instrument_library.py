"""The instrument library: what its files hold, what loading refuses, and which printed names find an instrument."""

from __future__ import annotations

from importlib import resources
from random import Random

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from parsers.instrument_library import (
    InstrumentName,
    load_instruments,
    read_instruments,
    resolve,
    result_level,
    severity_band,
)
from parsers.instruments.schema import fold_words, loinc_check_digit
from records.errors import SettingsError
from records.instrument import Instrument, ScoringRule
from tools import instruments_table

LIBRARY = load_instruments()
FILES = {
    entry.name: entry.read_text("utf-8")
    for entry in resources.files("parsers.instruments").iterdir()
    if entry.name.endswith(".yaml")
}
every_instrument = pytest.mark.parametrize("instrument", LIBRARY.values(), ids=LIBRARY.keys())

A_FORM = """
id: a-form
title: A form
names: [AF]
scoring: {value: {rule: sum, item_count: 2}, source: "doi:1", verified: true}
range: {value: [0, 6], source: "doi:1", verified: true}
items:
  value: [{link_id: "1", minimum: 0, maximum: 3}, {link_id: "2", minimum: 0, maximum: 3}]
  source: "doi:1"
  verified: true
bands:
  value: [{minimum: 0, maximum: 2, label: low}, {minimum: 3, maximum: 6, label: high}]
  source: "doi:1"
  verified: true
severity_words: {no risk: low}
critical: [{value: {link_id: "2", at_least: 1}, source: "doi:1", verified: false}]
codes:
  total: {value: 44261-6, source: "doi:1", verified: true}
  answers: {value: {0: LA6568-5, 1: LA6569-3, 2: LA6570-1, 3: LA6571-9}, source: "doi:1", verified: true}
"""


def faults(**files: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read_instruments({f"{name.replace('_', '-')}.yaml": text for name, text in files.items()})
    return refused.value.message


def a_form(text: str = A_FORM) -> Instrument:
    return read_instruments({"a-form.yaml": text})["a-form"]


# --- what the library holds


def test_the_library_has_every_instrument_the_clinics_asked_for() -> None:
    assert {
        "phq-9", "phq-2", "phq-a", "gad-7", "pcl-5", "audit-c", "c-ssrs", "epds", "madrs", "dast-10", "asrs",
        "isi", "who-5", "pss-10", "y-bocs", "phq-4", "phq-8", "gad-2", "k10", "audit",
    } <= LIBRARY.keys()  # fmt: skip


@every_instrument
def test_bands_follow_each_other_over_the_whole_range(instrument: Instrument) -> None:
    if not instrument.bands:
        return
    assert instrument.minimum is not None
    assert instrument.maximum is not None
    totals = [total for band in instrument.bands for total in range(band.minimum, band.maximum + 1)]
    assert totals == list(range(instrument.minimum, instrument.maximum + 1))


@every_instrument
def test_the_scored_items_add_up_to_the_range(instrument: Instrument) -> None:
    scored = [item for item in instrument.items if item.scored]
    if instrument.rule is not ScoringRule.SUM or not scored:
        return
    assert len(scored) == instrument.item_count
    assert sum(item.minimum for item in scored) == instrument.minimum
    assert sum(item.maximum for item in scored) == instrument.maximum


@every_instrument
def test_every_fact_has_a_source(instrument: Instrument) -> None:
    sources = dict(instrument.sources)
    assert all(sourced.source for sourced in sources.values())
    given = {
        "range": instrument.minimum is not None,
        "items": bool(instrument.items),
        "bands": bool(instrument.bands),
        "levels": bool(instrument.levels),
        "direction": not instrument.higher_is_worse,
        "total-loinc": instrument.total_loinc is not None,
        "panel-loinc": instrument.panel_loinc is not None,
        "items-loinc": any(item.loinc for item in instrument.items),
        "scoring": True,
    } | {f"critical-{rule.link_id}": True for rule in instrument.critical}
    assert {fact for fact, present in given.items() if present} <= sources.keys()


@every_instrument
def test_only_verified_facts_are_relied_on(instrument: Instrument) -> None:
    sources = dict(instrument.sources)
    for fact, present in {
        "items": bool(instrument.items),
        "bands": bool(instrument.bands),
        "total-loinc": instrument.total_loinc is not None,
        "panel-loinc": instrument.panel_loinc is not None,
        "items-loinc": any(item.loinc for item in instrument.items),
    }.items():
        assert not present or sources[fact].verified, fact
    for fact in ("range", "scoring", "levels", "item-scoring"):
        if fact in sources:
            assert (fact in instrument.unverified) is not sources[fact].verified, fact
    for rule in instrument.critical:
        assert rule.verified is sources[f"critical-{rule.link_id}"].verified


def codes_in(value: object) -> list[str]:
    if isinstance(value, dict):
        return [code for part in value.values() for code in codes_in(part)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", FILES)
def test_every_loinc_code_has_its_check_digit(name: str) -> None:
    codes = yaml.safe_load(FILES[name]).get("codes", {})
    for kind, fact in codes.items():
        for code in codes_in(fact["value"]) if kind != "answers" else ():
            number, _, digit = code.partition("-")
            assert loinc_check_digit(number) == int(digit), code


@pytest.mark.parametrize("code", ["2951-2", "718-7", "4548-4", "8480-6", "44249-1", "10000-8"])
def test_the_check_digit_is_that_of_published_codes(code: str) -> None:
    number, _, digit = code.partition("-")
    assert loinc_check_digit(number) == int(digit)


def test_answers_about_self_harm_are_critical_from_the_first_point() -> None:
    assert [(rule.link_id, rule.at_least, rule.verified) for rule in LIBRARY["phq-9"].critical] == [("9", 1, True)]
    assert [(rule.link_id, rule.at_least, rule.verified) for rule in LIBRARY["epds"].critical] == [("10", 1, True)]
    assert [rule.link_id for rule in LIBRARY["c-ssrs"].critical] == ["1", "2", "3", "4", "5", "6", "6b"]
    assert ("13", 1, False) in [(rule.link_id, rule.at_least, rule.verified) for rule in LIBRARY["phq-a"].critical]
    assert [(rule.link_id, rule.at_least, rule.verified) for rule in LIBRARY["madrs"].critical] == [("10", 2, False)]


def test_forms_that_leave_the_self_harm_question_out_have_no_critical_answer() -> None:
    assert [name for name in ("phq-2", "phq-4", "phq-8", "gad-2", "gad-7") if LIBRARY[name].critical] == []


def test_the_c_ssrs_has_levels_and_no_total() -> None:
    screener = LIBRARY["c-ssrs"]
    assert (screener.rule, screener.minimum, screener.maximum) == (ScoringRule.LEVEL, None, None)
    assert screener.levels == ("none", "low", "moderate", "high")
    assert screener.critical_levels == ("low", "moderate", "high")


def test_the_difficulty_question_of_the_phq_9_is_not_in_the_sum() -> None:
    tenth = LIBRARY["phq-9"].item("10")
    assert tenth is not None
    assert not tenth.scored
    assert LIBRARY["phq-9"].item_count == 9


def test_only_the_first_nine_answers_of_a_teenagers_form_are_in_the_sum() -> None:
    form = LIBRARY["phq-a"]
    assert [item.link_id for item in form.items if not item.scored] == ["10", "11", "12", "13"]
    assert form.item_count == 9


def test_more_points_are_better_only_for_well_being() -> None:
    assert {name for name, entry in LIBRARY.items() if not entry.higher_is_worse} == {
        "who-5", "who-5-raw", "who-5-percent",
    }  # fmt: skip


def test_instruments_whose_scoring_is_open_go_to_a_person() -> None:
    assert {name: entry.unverified for name, entry in LIBRARY.items() if entry.unverified} == {
        "asrs": ("range", "scoring"),
        "who-5": ("range", "scoring"),
        "k10": ("range", "scoring"),
        "pss-10": ("item-scoring",),
    }


def test_the_page_about_the_instruments_shows_the_present_facts() -> None:
    text = instruments_table.DOCUMENT.read_text("utf-8")
    assert instruments_table.document(text) == text


# --- what loading refuses


def test_a_file_without_faults_becomes_an_instrument() -> None:
    form = a_form()
    assert (form.minimum, form.maximum, form.item_count, form.total_loinc) == (0, 6, 2, "44261-6")
    assert form.unverified == ()
    assert [rule.verified for rule in form.critical] == [False]


def test_all_faults_of_all_files_are_listed_at_once() -> None:
    said = faults(
        a_form=A_FORM.replace("44261-6", "44261-7").replace("title: A form", "titel: A form"),
        another_form="id: another-form\ntitle: [not, text]\n",
        third_form="id: third-form: broken",
    )
    for part in (
        "a-form.yaml: codes.total.value: Value error, the check digit of 44261-7 is wrong",
        "a-form.yaml: titel: Extra inputs are not permitted",
        "a-form.yaml: title: Field required",
        "another-form.yaml: title: ",
        "third-form.yaml: not readable as YAML",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("minimum: 3, maximum: 6, label", "minimum: 4, maximum: 6, label", "the band after 2 begins at 4"),
        ("minimum: 3, maximum: 6, label", "minimum: 3, maximum: 7, label", "the bands cover 0..7"),
        ("label: high", "label: Low", "same name"),
        ("value: [0, 6]", "value: [0, 7]", "the scored items add up to 0..6"),
        ("item_count: 2", "item_count: 3", "2 scored items are given"),
        ('link_id: "2", minimum', 'link_id: "1", minimum', "item 1 is given 2 times"),
        ('{link_id: "2", at_least: 1}, source: "doi:1", verified: false',
         '{link_id: "9", at_least: 1}, source: "doi:1", verified: true', "item 9 is not among the items"),
        ("at_least: 1", "at_least: 4", "never or always reached"),
        ("no risk: low", "No-Risk: low", "'no risk' when folded"),
        ("no risk: low", "no risk: lowest", "'lowest' is no label"),
        ("no risk: low", "high: low", "is a label itself"),
        ('range: {value: [0, 6], source: "doi:1"', "range: {value: [0, 6]", "range.source: Field required"),
        ('source: "doi:1", verified: true}\nrange', 'source: "", verified: true}\nrange', "scoring.source"),
        ("title: A form", "title: A form\ntitle: Another", "the key 'title' is given twice"),
        ("id: a-form", "id: b-form", "belongs into b-form.yaml"),
        ("rule: sum", "rule: level", "no levels are given"),
        ("value: [0, 6]", 'value: ["0", 6]', "range.value.0"),
        (", 3: LA6571-9", "", "item 1 has other points"),
        ("LA6570-1", "44250-9", "codes.answers.value.2"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_place_and_the_fault(right: str, wrong: str, fault: str) -> None:
    assert right in A_FORM
    assert fault in faults(a_form=A_FORM.replace(right, wrong))


def test_two_instruments_cannot_claim_one_name() -> None:
    rival = A_FORM.replace("id: a-form", "id: rival").replace("title: A form", "title: Rival")
    assert "a-form.yaml: names: 'af' is also a name of rival" in faults(a_form=A_FORM, rival=rival)
    open_rival = rival.replace("names: [AF]", "open_names: [A.F.]")
    assert "a-form.yaml: names: 'af' is also a name of rival" in faults(a_form=A_FORM, rival=open_rival)


def test_points_have_the_answer_code_that_was_verified_and_no_other() -> None:
    item = a_form().items[0]
    assert (item.answer_code(0), item.answer_code(3), item.answer_code(4)) == ("LA6568-5", "LA6571-9", None)
    assert (
        a_form(A_FORM.replace('9}, source: "doi:1", verified: true', '9}, source: "doi:1", verified: false'))
        .items[0]
        .answer_codes
        == ()
    )


def test_unverified_facts_are_kept_back_and_named() -> None:
    form = a_form(A_FORM.replace("verified: true", "verified: false"))
    assert form.unverified == ("range", "scoring")
    assert (form.minimum, form.maximum) == (0, 6)
    assert (form.items, form.bands, form.severity_synonyms, form.total_loinc) == ((), (), (), None)


def test_a_fact_nobody_found_sends_records_to_a_person() -> None:
    form = a_form("id: a-form\ntitle: A form\n")
    assert form.unverified == ("range", "scoring")
    assert (form.minimum, form.maximum, form.items) == (None, None, ())


# --- names


@pytest.mark.parametrize(
    ("printed", "instrument_id"),
    [
        ("PHQ-9", "phq-9"),
        ("PHQ9", "phq-9"),
        ("phq 9", "phq-9"),
        ("PHQ–9 Total", "phq-9"),
        ("PHQ-9 Total Score", "phq-9"),
        ("  PHQ\u00a0\u2011 9:", "phq-9"),
        ("Patient Health Questionnaire-9", "phq-9"),
        ("Patient Health Questionnaire (PHQ-9)", "phq-9"),
        ("Patient Health Questionnaire-9 (PHQ-9) score", "phq-9"),
        ("PHQ-9 Modified for Adolescents", "phq-a"),
        ("GAD7", "gad-7"),
        ("Generalized Anxiety Disorder-7", "gad-7"),
        ("GAD-7: Generalized Anxiety Disorder", "gad-7"),
        ("PTSD Checklist for DSM-5", "pcl-5"),
        ("PTSD Checklist (PCL-5)", "pcl-5"),
        ("AUDITC", "audit-c"),
        ("AUDIT C", "audit-c"),
        ("AUDIT", "audit"),
        ("Edinburgh Postnatal Depression Scale", "epds"),
        ("Montgomery–Åsberg Depression Rating Scale", "madrs"),
        ("Columbia-Suicide Severity Rating Scale (C-SSRS)", "c-ssrs"),
        ("DAST-10", "dast-10"),
        ("YBOCS", "y-bocs"),
        ("WHO-5 percentage score", "who-5-percent"),
    ],
)
def test_names_as_printed_find_their_instrument(printed: str, instrument_id: str) -> None:
    assert resolve(printed, LIBRARY) == InstrumentName(instrument_id=instrument_id, candidates=(instrument_id,))


@pytest.mark.parametrize(
    "printed",
    [
        "", "-", "Score", "Total", "9", "PHQ-15", "PHQ-99", "PHQ-9 item 9", "PHQ-9 (modified)", "PHQ-9 adolescent",
        "PHQ-9*", "PHQ-9/GAD-7", "PHQ-8 (PHQ-9)", "PCL-C", "PCL-M", "PCL-6", "AUDIT-PC", "DAST-20", "DAST-28",
        "GAD-7 (Generalized Anxiety)", "MADRS-S", "Y-BOCS-II", "CY-BOCS", "K10+", "K6", "ASRS-5",
        "PSS-14", "WHO-10", "Depression", "PHQ-O",
    ],
)  # fmt: skip
def test_a_name_that_is_not_listed_is_unknown_however_near(printed: str) -> None:
    assert resolve(printed, LIBRARY) == InstrumentName(instrument_id=None)


@pytest.mark.parametrize(
    ("printed", "instrument_id"),
    [
        ("PHQ", None), ("Patient Health Questionnaire", None), ("GAD", None), ("PCL", "pcl-5"), ("DAST", "dast-10"),
        ("ASRS", "asrs"), ("ASRS v1.1 total score", "asrs"), ("WHO-5", "who-5"), ("WHO-5 score", "who-5"),
        ("K10", "k10"), ("Kessler Psychological Distress Scale (K10)", "k10"), ("PSS", "pss-10"),
        ("Columbia", "c-ssrs"),
    ],
)  # fmt: skip
def test_a_name_that_leaves_the_scoring_open_is_ambiguous(printed: str, instrument_id: str | None) -> None:
    name = resolve(printed, LIBRARY)
    assert (name.instrument_id, name.ambiguous) == (instrument_id, True)
    assert name.candidates


def test_a_bare_phq_may_be_any_form_of_the_family() -> None:
    assert resolve("PHQ", LIBRARY).candidates == ("phq-2", "phq-4", "phq-8", "phq-9", "phq-a")


def test_a_template_names_what_its_layout_means() -> None:
    synonyms = {"WHO-5": "who-5-percent", "Depression form": "phq-9"}
    assert resolve("who5 score", LIBRARY, synonyms).instrument_id == "who-5-percent"
    assert resolve("DEPRESSION FORM", LIBRARY, synonyms) == InstrumentName(instrument_id="phq-9", candidates=("phq-9",))
    assert resolve("WHO-5", LIBRARY).ambiguous


def test_a_template_synonym_for_no_instrument_of_the_library_stays_unknown() -> None:
    assert resolve("PHQ-9", LIBRARY, {"PHQ-9": "phq-nine"}) == InstrumentName(instrument_id=None)


def test_two_synonyms_that_fold_to_one_name_are_ambiguous() -> None:
    name = resolve("mood", LIBRARY, {"Mood": "phq-9", "MOOD": "madrs"})
    assert name == InstrumentName(instrument_id=None, ambiguous=True, candidates=("madrs", "phq-9"))


def letters(name: str) -> str:
    return fold_words(name).replace(" ", "")


EXACT = [
    (name, entry.instrument_id)
    for entry in LIBRARY.values()
    for name in (entry.instrument_id, entry.title, *entry.aliases)
    if letters(name) not in {letters(other) for other in entry.ambiguous_aliases}
]
LISTED = {letters(name) for name, _ in EXACT}
GAPS = ["-", " ", "", "–", "\u2011", ". ", "_"]


@given(st.sampled_from(EXACT), st.randoms(use_true_random=False))
def test_case_hyphens_and_spaces_never_change_what_a_name_means(case: tuple[str, str], random: Random) -> None:
    name, instrument_id = case
    printed = "".join(random.choice(GAPS if letter in " -" else [letter.upper(), letter]) for letter in name)
    printed += random.choice(["", " ", " score", " Total", " TOTAL SCORE", ":"])
    assert resolve(printed, LIBRARY).instrument_id == instrument_id
    assert not resolve(printed, LIBRARY).ambiguous


@given(st.text(max_size=30))
def test_any_text_gets_an_answer_and_only_listed_instruments(text: str) -> None:
    name = resolve(text, LIBRARY)
    assert set(name.candidates) <= LIBRARY.keys()
    assert name.instrument_id is None or name.candidates == (name.instrument_id,)


@given(st.sampled_from(EXACT), st.characters(categories=["L", "N"]))
def test_one_more_letter_or_digit_never_means_the_same_form(case: tuple[str, str], letter: str) -> None:
    name, instrument_id = case
    assume(letters(name + letter) not in LISTED)
    assert resolve(name + letter, LIBRARY).instrument_id != instrument_id


# --- severity words


@pytest.mark.parametrize(
    ("instrument_id", "printed", "total"),
    [
        ("phq-9", "Minimal", 3),
        ("phq-9", "none-minimal", 0),
        ("phq-9", "Moderately-Severe", 17),
        ("phq-9", "Moderately  severe depression", 15),
        ("gad-7", "SEVERE", 21),
        ("dast-10", "Substantial level", 7),
        ("isi", "Clinical insomnia (moderate severity)", 18),
        ("epds", "Low", 8),
    ],
)
def test_printed_severity_words_name_their_band(instrument_id: str, printed: str, total: int) -> None:
    instrument = LIBRARY[instrument_id]
    assert severity_band(printed, instrument) == instrument.band(total) is not None


def test_an_unknown_severity_word_names_no_band() -> None:
    assert severity_band("Probable PTSD", LIBRARY["pcl-5"]) is None
    assert severity_band("High risk", LIBRARY["audit-c"]) is None
    assert severity_band("worrying", LIBRARY["phq-9"]) is None


def test_a_templates_severity_words_come_before_the_librarys() -> None:
    band = severity_band("Mild", LIBRARY["phq-9"], {"MILD": "moderate"})
    assert band is not None
    assert band.label == "moderate"
    assert severity_band("Mild", LIBRARY["phq-9"], {"Mild": "no such band"}) is None


def test_printed_results_name_their_level() -> None:
    screener = LIBRARY["c-ssrs"]
    assert [result_level(word, screener) for word in ("HIGH", "High Risk", "moderate-risk", "No risk", "?")] == [
        "high", "high", "moderate", "none", None,
    ]  # fmt: skip
    assert result_level("red", screener, {"Red": "high"}) == "high"
    assert result_level("high", LIBRARY["phq-9"]) is None
