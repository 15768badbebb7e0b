"""What the trees of destination files can say, what they refuse, and that they never leave out a key by themselves."""

from __future__ import annotations

import contextlib
import json

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from portal.expressions import Expression, ExpressionFaultError
from portal.mapping import Tree, TreeCompiler
from portal.record_shape import RECORD, RECORD_FIELDS
from portal.shapes import ANYTHING, Entries, Fields
from records.errors import DeliveryHeldError

RECORD_OF_TEST: dict[str, JsonValue] = dict.fromkeys(RECORD_FIELDS) | {
    "external_id": "EXT1",
    "instrument": "phq-9",
    "site": "WCP",
    "total": 0,
    "status": "final",
    "items": [{"link_id": "1", "points": 2}, {"link_id": "2", "points": None}],
}
TABLES: dict[str, dict[str, JsonValue]] = {"forms": {"phq-9": {"form": 12}, "true": "yes"}}


def compiled(tree: JsonValue) -> tuple[Tree, list[str]]:
    faults: list[str] = []
    return TreeCompiler(RECORD, variables=("clinic",), tables=TABLES, faults=faults).compile(tree, at="body"), faults


def render(tree: JsonValue, **fields: JsonValue) -> JsonValue:
    ready, faults = compiled(tree)
    assert faults == []
    record = RECORD_OF_TEST | fields
    return ready.render({**record, "record": record, "variables": {"clinic": "north"}})


def faults_of(tree: JsonValue) -> list[str]:
    return compiled(tree)[1]


def test_expressions_join_choose_and_count() -> None:
    assert render("=join('-', [site, external_id])") == "WCP-EXT1"
    assert render("=items[?points != `null`].link_id") == ["1"]
    assert render("=length(items)") == 2
    assert render("=variables.clinic") == "north"


def test_an_expression_without_a_value_holds_the_record_under_the_name_of_its_field() -> None:
    with pytest.raises(DeliveryHeldError) as caught:
        render("=record.loinc")
    assert caught.value.code == "missing-loinc"
    with pytest.raises(DeliveryHeldError) as caught:
        render("=not_null(authored_on, authored_time)")
    assert caught.value.code == "missing-authored-on"


def test_an_expression_that_fails_holds_the_record_even_if_it_may_be_null() -> None:
    for leaf in ("=join('', [site, loinc])", "?=join('', [site, loinc])"):
        with pytest.raises(DeliveryHeldError) as caught:
            render(leaf)
        assert caught.value.code == "mapping-fault"
        assert "WCP" not in str(caught.value)


def test_each_entry_has_its_own_fields_and_the_whole_record_beside_them() -> None:
    give: JsonValue = {"q": "=link_id", "of": "=record.instrument", "whole": "=entry", "at": "=variables.clinic"}
    assert render({"for_each": "=items", "give": give}) == [
        {"q": "1", "of": "phq-9", "whole": {"link_id": "1", "points": 2}, "at": "north"},
        {"q": "2", "of": "phq-9", "whole": {"link_id": "2", "points": None}, "at": "north"},
    ]


def test_a_list_may_be_any_expression_and_lists_may_lie_in_lists() -> None:
    assert render({"for_each": "=items[].link_id", "give": "=entry"}) == ["1", "2"]
    inner: JsonValue = {"for_each": "=record.items", "give": "=link_id"}
    assert render({"for_each": "=items[?points == `2`]", "give": {"all": inner}}) == [{"all": ["1", "2"]}]


def test_no_list_is_no_entries_only_if_it_may_be_null() -> None:
    assert render({"for_each": "?=items", "give": "=link_id"}, items=None) == []
    with pytest.raises(DeliveryHeldError) as caught:
        render({"for_each": "=items", "give": "=link_id"}, items=None)
    assert caught.value.code == "missing-items"


def test_what_is_no_list_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(DeliveryHeldError) as caught:
        render({"for_each": "=not_null(site, total)", "give": "=entry"})
    assert caught.value.code == "mapping-fault"


def test_a_condition_leaves_out_a_key_or_an_entry_and_zero_is_there() -> None:
    tree: JsonValue = {
        "loinc": {"when": "=loinc", "give": "=loinc"},
        "total": {"when": "=total", "give": "=total"},
        "list": [{"when": "=loinc", "give": 1}, {"when": "=items", "give": 2}],
    }
    assert render(tree) == {"total": 0, "list": [2]}
    assert render({"for_each": "=items", "give": {"when": "=points", "give": "=link_id"}}) == ["1"]


@pytest.mark.parametrize("nothing", [None, False, "", [], {}])
def test_nothing_is_null_false_or_empty(nothing: JsonValue) -> None:
    assert render({"a": {"when": "=severity", "give": 1, "otherwise": 2}}, severity=nothing) == {"a": 2}


def test_a_key_whose_inner_condition_fails_is_left_out_too() -> None:
    inner: JsonValue = {"when": "=loinc", "give": 1}
    assert render({"a": {"when": "=site", "give": inner}, "b": {"when": "=loinc", "give": 1, "otherwise": inner}}) == {}


def test_only_the_branch_that_is_taken_can_hold_the_record() -> None:
    assert render({"when": "=loinc", "give": "=loinc", "otherwise": "none"}) == "none"


def test_tables_are_looked_up_by_name_and_a_missing_word_holds() -> None:
    assert render({"lookup": "=instrument", "in": "forms"}) == {"form": 12}
    assert render({"lookup": "=status == 'final'", "in": "forms"}) == "yes"
    assert render({"lookup": "?=loinc", "in": "forms"}) is None
    with pytest.raises(DeliveryHeldError) as caught:
        render({"lookup": "=site", "in": "forms"})
    assert caught.value.code == "missing-word"
    assert "WCP" not in str(caught.value)


def test_what_would_be_read_can_be_sent_as_it_stands() -> None:
    tree: JsonValue = {"when": "=x", "for_each": ["=y"]}
    assert render({"a": {"literal": tree}, "b": "==x"}) == {"a": tree, "b": "=x"}


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("=totl", "body: there is no field 'totl'"),
        ("=record.totl", "body: there is no field 'totl'"),
        ("=variables.clinik", "there is no field 'clinik'"),
        ("=items.points", "a list has no field 'points'"),
        ("=total.x", "a single value has no field 'x'"),
        ("=items[].point", "there is no field 'point'"),
        ("=items[?point == `1`]", "there is no field 'point'"),
        ("=sort_by(items, &point)", "there is no field 'point'"),
        ("=joyn('', items)", "there is no function 'joyn'"),
        ("=join(items)", "the function join takes 2 arguments"),
        ("=total +", "body: no JMESPath"),
        ("=", "body: no JMESPath"),
        ({"a": ["=totl"]}, "body.a.0: there is no field"),
        ({"for_each": "=items", "give": {"x": "=point"}}, "body.give.x: there is no field 'point'"),
        ({"for_each": "=items", "give": {"x": "=total"}}, "body.give.x: there is no field 'total'"),
        ({"for_each": "=total", "give": 1}, "body.for_each: that is no list"),
        ({"for_each": "items", "give": 1}, "body.for_each: an expression"),
        ({"for_each": ["=items"], "give": 1}, "body.for_each: an expression"),
        ({"for_each": "=items"}, "body: for_each goes with give"),
        ({"when": "=loinc", "give": 1, "otherwize": 2}, "body: for_each goes with give"),
        ({"when": True, "give": 1}, "body.when: an expression"),
        ({"lookup": "=site", "in": "table"}, "body.in: a lookup needs words"),
        ({"lookup": "=site", "in": ["a"]}, "body.in: a lookup needs words"),
    ],
)
def test_a_wrong_tree_is_refused_with_the_path(tree: JsonValue, said: str) -> None:
    assert any(said in fault for fault in faults_of(tree)), faults_of(tree)


def test_a_for_each_among_other_entries_of_a_list_gives_its_entries_to_that_list() -> None:
    each: JsonValue = {"for_each": "=items", "give": "=link_id"}
    alone = render(each)
    assert isinstance(alone, list)
    assert render(["first", each, "last"]) == ["first", *alone, "last"]
    assert render([each]) == alone
    assert render([[each]]) == [alone]


def test_every_fault_of_a_tree_is_listed() -> None:
    assert len(faults_of({"a": "=totl", "b": ["=itms"], "c": {"when": "=x", "give": "=y", "otherwise": "=z"}})) == 5


def test_the_shape_of_what_is_sent_is_known_as_far_as_the_file_says_it() -> None:
    shape = compiled({"a": {"for_each": "=items", "give": {"q": "=link_id"}}, "b": {"lookup": "=site", "in": {}}})[
        0
    ].shape
    assert isinstance(shape, Fields)
    assert isinstance(shape.fields["a"], Entries)
    assert shape.fields["b"] == ANYTHING
    assert Expression("a[].q").check(shape)[1] == []
    assert Expression("a[].z").check(shape)[1] != []


LEAVES = st.sampled_from(
    ["=external_id", "?=loinc", "==x", "text", "=length(items)", "?=items[0].points", 1, 0, None, True, 2.5]
)
KEYS = st.sampled_from(["a", "b", "c", "d"])
PLAIN = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=4),
        inner.map(lambda given: {"for_each": "=record.items", "give": given}),
        st.tuples(inner, inner).map(lambda two: {"when": "=record.loinc", "give": two[0], "otherwise": two[1]}),
    ),
    max_leaves=12,
)


def in_entry(tree: JsonValue) -> JsonValue:
    """The tree with names that are good in entries as well as at the top."""
    text = json.dumps(tree)
    for name in ("external_id", "loinc", "items"):
        for sign in ('"=', '"?=', '"=length(', '"?='):
            text = text.replace(f"{sign}{name}", f"{sign}record.{name}")
    return json.loads(text)


def keys_of(tree: JsonValue, given: JsonValue) -> None:
    """Every key of the file is in what is sent."""
    if isinstance(tree, dict) and "for_each" in tree:
        assert isinstance(given, list)
        assert len(given) == 2
        for entry in given:
            keys_of(tree["give"], entry)
    elif isinstance(tree, dict) and "when" in tree:
        keys_of(tree["otherwise"], given)
    elif isinstance(tree, dict):
        assert isinstance(given, dict)
        assert given.keys() == tree.keys()
        for name, branch in tree.items():
            keys_of(branch, given[name])
    elif isinstance(tree, list):
        assert isinstance(given, list)
        left = list(given)
        for branch in tree:
            if isinstance(branch, dict) and "for_each" in branch:
                keys_of(branch, [left.pop(0), left.pop(0)])
            else:
                keys_of(branch, left.pop(0))
        assert left == []


@given(PLAIN.map(in_entry))
def test_no_key_and_no_entry_is_left_out_but_by_when(tree: JsonValue) -> None:
    keys_of(tree, render(tree))


@given(PLAIN.map(in_entry))
def test_the_same_input_gives_the_same_bytes(tree: JsonValue) -> None:
    assert json.dumps(render(tree)) == json.dumps(render(tree))


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_refused_with_a_reason(text: str) -> None:
    try:
        expression = Expression(text)
    except ExpressionFaultError as error:
        assert str(error).startswith("no JMESPath")  # noqa: PT017
        return
    with contextlib.suppress(ExpressionFaultError):
        expression.find(RECORD_OF_TEST)


@given(st.text(max_size=30))
def test_a_plain_path_leads_where_jmespath_would_lead(text: str) -> None:
    record = {"a": {"b": [1, {"c": None}]}, text: {"d": 2}}
    for path in ("a", "a.b", "a.b[0]", "a.b[-1].c", "a.b[7]", "a.x", "a.b.c", "@", f"{json.dumps(text)}.d"):
        assert Expression(path).value(record) == jmespath.search(path, record)
