"""Destination files: what they can say, and that every fault is listed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from portal.addresses import Address
from portal.answers import retry_after
from portal.destination_files import load_destination, read_destination, supplied_files
from portal.expressions import MISSING, Expression
from portal.http import Answer
from portal.mapping import TreeCompiler, same_value
from portal.shapes import SINGLE, Entries, Fields
from records.errors import DeliveryHeldError, SettingsError

FIELDS: dict[str, JsonValue] = {
    "total": 14,
    "loinc": None,
    "instrument": "phq-9",
    "items": [{"link_id": "1", "points": 2}, {"link_id": "2", "points": None}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


SHAPE = Fields(
    {
        "total": SINGLE,
        "loinc": SINGLE,
        "instrument": SINGLE,
        "items": Entries(Fields({"link_id": SINGLE, "points": SINGLE})),
    }
)


def render(tree: JsonValue, fields: dict[str, JsonValue]) -> JsonValue:
    faults: list[str] = []
    compiled = TreeCompiler(SHAPE, variables=(), tables={}, faults=faults).compile(tree, at="body")
    assert faults == []
    return compiled.render({**fields, "record": fields, "variables": {}})


def generic() -> str:
    return (Path(__file__).parents[3] / "portal/destinations/generic-json.yaml").read_text()


@pytest.mark.parametrize("name", supplied_files())
def test_every_file_that_comes_along_is_right(name: str, tmp_path: Path) -> None:
    assert load_destination(f"destinations/{name}", folder=tmp_path).mapping_revision


def test_a_file_beside_the_settings_comes_before_the_supplied_one(tmp_path: Path) -> None:
    (tmp_path / "generic-json.yaml").write_text(generic().replace("revision: 2", "revision: 8"))
    assert load_destination("generic-json.yaml", folder=tmp_path).mapping_revision == "generic-json@8"


def test_all_faults_of_a_file_are_listed_at_once() -> None:
    wrong = (
        generic()
        .replace('"=total"', '"=totl"')
        .replace('{patient_id}/outcome-measures"', '{patient}/outcome-measures"', 1)
        .replace("same: [externalId", "same: [externalID")
        .replace('for_each: "?=items"', 'for_each: "=total"')
        .replace('"=idempotency_key"', '"=idempotence"', 1)
    )
    with pytest.raises(SettingsError) as caught:
        read_destination(wrong, file_name="x.yaml")
    for fault in ("'totl'", "{patient}", "externalID", "for_each", "create.headers.Idempotency-Key"):
        assert fault in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "colour: red\n",
        lambda text: text.replace("language: 2", "language: 1"),
        lambda text: text.replace("revision: 2", "revision: 2\nrevision: 3"),
        lambda text: text.replace("success: [200, 201]", "success: [302]"),
        lambda text: text.replace('"{base_url}/v1', '"https://elsewhere.org/v1', 1),
        lambda text: text.replace("?externalId={external_id}", ""),
        lambda text: text.replace("method: POST", "method: FETCH"),
        lambda text: text.replace("application/json", '"a\\nb"'),
        lambda text: text[: len(text) // 2],
        lambda _: "",
        lambda _: "- 1",
        lambda _: "a: [",
        lambda _: "!!python/object/apply:os.system ['true']",
    ],
)
def test_a_wrong_file_stops_the_start(change) -> None:
    with pytest.raises(SettingsError):
        read_destination(change(generic()), file_name="x.yaml")


def test_leaves_pick_fields_and_everything_else_is_literal() -> None:
    tree: JsonValue = {"a": "=total", "b": "?=loinc", "c": "==total", "d": ["text", 1, None, True], "e": {}}
    assert render(tree, FIELDS) == {"a": 14, "b": None, "c": "=total", "d": ["text", 1, None, True], "e": {}}


def test_a_missing_field_holds_the_record_and_names_the_field_only() -> None:
    with pytest.raises(DeliveryHeldError) as caught:
        render({"code": "=loinc", "score": "=total"}, FIELDS)
    assert caught.value.code == "missing-loinc"
    assert "14" not in str(caught.value)


def test_lists_and_lookups() -> None:
    items: JsonValue = {"for_each": "=items", "give": {"q": "=link_id", "v": "?=points"}}
    assert render(items, FIELDS) == [{"q": "1", "v": 2}, {"q": "2", "v": None}]
    assert render({"for_each": "?=items", "give": "=points"}, {"items": None}) == []
    assert render({"lookup": "=instrument", "in": {"phq-9": 12}}, FIELDS) == 12
    with pytest.raises(DeliveryHeldError) as caught:
        render({"lookup": "=instrument", "in": {"gad-7": 12}}, FIELDS)
    assert "phq-9" not in str(caught.value)


@given(JSON)
def test_a_tree_without_leaves_is_sent_as_it_is(tree: JsonValue) -> None:
    text = json.dumps(tree)
    if "=" not in text and '"for_each"' not in text and '"lookup"' not in text:
        assert render(tree, FIELDS) == tree


@given(JSON)
def test_every_value_is_the_same_as_itself(value: JsonValue) -> None:
    assert same_value(value, value)
    assert same_value({"a": value}, {"a": value, "more": 1})


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (14, 15),
        (14, None),
        (0, None),
        (None, 0),
        (0, False),
        (1, True),
        ([1], [1, 1]),
        ([1, 2], [1, 3]),
        ({"v": 0}, {"v": None}),
        ("2026-03-02", "2026-03-03"),
        ("2026-03-02", "2026-03-02T09:00:00Z"),
        ("14", 15),
        ([], [1]),
        ([1], None),
    ],
)
def test_different_values_are_told_apart(sent: JsonValue, shown: JsonValue) -> None:
    assert not same_value(sent, shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (14, 14.0),
        (14, "14"),
        ("2026-03-02", "2026-03-02T00:00:00Z"),
        ([], None),
        ([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}]),
        ({"a": 1}, {}),
    ],
)
def test_a_portals_own_ways_are_no_difference(sent: JsonValue, shown: JsonValue) -> None:
    assert same_value(sent, shown)


def test_paths_lead_into_objects_and_lists_and_null_is_not_nothing() -> None:
    tree: JsonValue = {"a": [{"b": None}]}
    assert Expression("a[0].b").find(tree) is None
    assert Expression("@").find(tree) == tree
    for path in ("a[1]", "a.x", "a[0].b.c", "b"):
        assert Expression(path).find(tree) is MISSING


@given(st.text(min_size=1).filter(lambda text: text.isprintable() and text.strip(".")))
def test_an_id_never_adds_a_step_or_a_query_to_the_address(patient_id: str) -> None:
    url = Address("{base_url}/p/{patient_id}/m").fill(base_url="https://x.org", fields={"patient_id": patient_id})
    assert url.startswith("https://x.org/p/")
    assert url.count("/") == 5
    assert not set(url) & set("?#\\ ")


@given(st.text())
def test_any_retry_after_is_at_most_an_hour_or_nothing(text: str) -> None:
    answer = Answer(status=503, headers={"retry-after": text}, body=b"")
    wait = retry_after(answer, now=datetime(2026, 3, 2, tzinfo=UTC))
    assert wait is None or 0 <= wait <= 3600


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7), ("0.5", 0.5), ("-3", 0), ("99999", 3600), ("nan", None), ("soon", None)]
)
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    answer = Answer(status=503, headers={"retry-after": text}, body=b"")
    assert retry_after(answer, now=datetime(2026, 3, 2, tzinfo=UTC)) == seconds


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 3, 2, 6, tzinfo=UTC)
    for moment, seconds in ((now + timedelta(seconds=90), 90), (now - timedelta(days=1), 0)):
        answer = Answer(status=503, headers={"retry-after": format_datetime(moment, usegmt=True)}, body=b"")
        assert retry_after(answer, now=now) == seconds


def test_a_misspelt_key_is_told_in_plain_words_with_the_next_step() -> None:
    with pytest.raises(SettingsError) as caught:
        read_destination(generic().replace("search:", "serch:"), file_name="x.yaml")
    assert "serch: there is no such key here" in caught.value.message
    assert "search: it is needed and is not there" in caught.value.message
    assert "destination try" in str(caught.value.next_step)
