"""How a destination file says what to send: a tree of literals whose leaves may pick fields of a record.

    "=total"        a JMESPath expression that must have a value: without one the record is held
    "?=loinc"       the value, or null
    "==literal"     text that begins with an equals sign
    {for_each: "=items", give: {linkId: "=link_id"}}     a list, one entry for each; inside, the entry's own fields,
                                                         `entry` for the entry, `record.total` for the whole record;
                                                         as an entry of a list, it gives its entries to that list
    {lookup: "=instrument", in: {phq-9: 12}}             another word for a value, `in` may name one of `tables`;
                                                         without a word the record is held
    {when: "=loinc", give: {code: "=loinc"}, otherwise: null}     only if neither null, false nor empty; without
                                                                  `otherwise` the key or the entry is left out
    {literal: {when: "=x"}}                              sent as it stands

A key is left out by `when` and by nothing else, so that the shape in the file is the shape that is sent. Trees are
compiled once. Pure: same input, same output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from portal.expressions import MISSING, Expression, ExpressionFaultError, Missing, is_there
from portal.record_shape import ENTRY_NAME, RECORD_NAME, VARIABLES_NAME, with_names
from portal.shapes import ANYTHING, SINGLE, Anything, Entries, Fields, Shape
from records.errors import DeliveryHeldError

Scope = dict[str, JsonValue]
Table = Mapping[str, JsonValue]

_WORDS: Final = frozenset({"for_each", "give", "lookup", "in", "when", "otherwise", "literal"})
_FORMS: Final = (
    frozenset({"for_each", "give"}),
    frozenset({"lookup", "in"}),
    frozenset({"when", "give"}),
    frozenset({"when", "give", "otherwise"}),
    frozenset({"literal"}),
)
_PLAIN: Final = (str, int, float)
_Render = Callable[[Scope], JsonValue | Missing]


@dataclass(frozen=True, slots=True)
class Tree:
    """A compiled tree.

    Attributes:
        shape: What it gives, as far as the file says it.
        words: Every field name in its expressions.
        is_fixed: It gives the same for every record.
        may_be_absent: It may give nothing, so that its key is left out.
        is_spread: As an entry of a list, it gives its own entries to that list.
    """

    give: _Render = field(repr=False)
    shape: Shape
    words: frozenset[str]
    is_fixed: bool = False
    may_be_absent: bool = False
    is_spread: bool = False

    def render(self, scope: Scope) -> JsonValue:
        """The tree with its leaves filled in; `scope` holds the fields by name.

        Raises:
            DeliveryHeldError: A field or a word that must be there is not; the message names the field, not the value.
        """
        given = self.give(scope)
        return None if isinstance(given, Missing) else given


class TreeCompiler:
    """Compiles the trees of one file, and gathers what is wrong with them.

    Args:
        names: The fields that expressions may name at the top.
        variables: The variables of the file.
        tables: The file's lookup tables, by name.
        faults: Gets one sentence for each fault, with the path where.
    """

    def __init__(
        self, names: Fields, *, variables: Iterable[str], tables: Mapping[str, Table], faults: list[str]
    ) -> None:
        beside = {RECORD_NAME: names, VARIABLES_NAME: Fields(dict.fromkeys(variables, SINGLE))}
        self._names = with_names(names, beside)
        self._tables = tables
        self._faults = faults

    def compile(self, tree: JsonValue, *, at: str) -> Tree:
        """The compiled tree; only good if no fault was added."""
        return self._tree(tree, self._names, at)

    def _tree(self, tree: JsonValue, names: Shape, at: str) -> Tree:
        if isinstance(tree, str):
            return self._leaf(tree, names, at)
        if isinstance(tree, list):
            return _list_of([self._tree(branch, names, f"{at}.{index}") for index, branch in enumerate(tree)])
        if not isinstance(tree, dict):
            return _fixed(tree)
        if not tree.keys() & _WORDS:
            return _object_of({name: self._tree(branch, names, f"{at}.{name}") for name, branch in tree.items()})
        if tree.keys() not in _FORMS:
            self._faults.append(
                f"{at}: for_each goes with give, lookup with in, when with give and otherwise, and with nothing else"
            )
            return _fixed(None)
        if "literal" in tree:
            return _fixed(tree["literal"])
        if "lookup" in tree:
            return self._lookup(tree, names, at)
        return self._for_each(tree, names, at) if "for_each" in tree else self._when(tree, names, at)

    def _leaf(self, text: str, names: Shape, at: str) -> Tree:
        if text.startswith("=="):
            return _fixed(text[1:])
        if not text.startswith(("=", "?=")):
            return _fixed(text)
        required = text.startswith("=")
        expression, shape = self._expression(text.removeprefix("?").removeprefix("="), names, at)
        if expression is None:
            return _fixed(None)
        return Tree(_required(expression) if required else _optional(expression), shape, expression.words)

    def _expression(self, text: str, names: Shape, at: str) -> tuple[Expression | None, Shape]:
        try:
            expression = Expression(text)
        except ExpressionFaultError as error:
            self._faults.append(f"{at}: {error}")
            return None, ANYTHING
        shape, faults = expression.check(names)
        self._faults.extend(f"{at}: {fault}" for fault in faults)
        return expression, shape

    def _for_each(self, tree: dict[str, JsonValue], names: Shape, at: str) -> Tree:
        listed = self._picked(tree["for_each"], names, f"{at}.for_each")
        if isinstance(listed.shape, Fields) or listed.shape == SINGLE:
            self._faults.append(f"{at}.for_each: that is no list")
        entry = listed.shape.entry if isinstance(listed.shape, Entries) else ANYTHING
        given = self._tree(tree["give"], _inside(entry, names), f"{at}.give")
        give, entries_of, where = given.give, listed.give, str(tree["for_each"])

        def entries(scope: Scope) -> JsonValue:
            found = entries_of(scope)
            if found is None:
                return []
            if not isinstance(found, list):
                raise DeliveryHeldError(
                    f"{where} of the destination file is no list for this record.", code="mapping-fault"
                )
            outer: Scope = {name: scope[name] for name in (RECORD_NAME, VARIABLES_NAME) if name in scope}
            rendered = [give(_scope_of(entry, outer)) for entry in found]
            return [value for value in rendered if not isinstance(value, Missing)]

        return Tree(entries, Entries(given.shape), listed.words | given.words, is_spread=True)

    def _lookup(self, tree: dict[str, JsonValue], names: Shape, at: str) -> Tree:
        value = self._picked(tree["lookup"], names, f"{at}.lookup")
        table = self._table(tree["in"], at=f"{at}.in")
        looked_up, where = value.give, str(tree["lookup"])

        def word(scope: Scope) -> JsonValue:
            key = looked_up(scope)
            if key is None or isinstance(key, Missing):
                return None
            known = _key(key)
            if known not in table:
                raise DeliveryHeldError(
                    f"The destination file has no word for this value of {where}.",
                    next_step="Add it to the lookup in the destination file.",
                    code="missing-word",
                )
            return table[known]

        return Tree(word, ANYTHING, value.words)

    def _table(self, given: JsonValue, *, at: str) -> Table:
        if isinstance(given, str) and given in self._tables:
            return self._tables[given]
        if isinstance(given, dict):
            return given
        self._faults.append(f"{at}: a lookup needs words, each with its other word, or the name of one of tables")
        return {}

    def _when(self, tree: dict[str, JsonValue], names: Shape, at: str) -> Tree:
        asked = self._picked(tree["when"], names, f"{at}.when", optional=True)
        given = self._tree(tree["give"], names, f"{at}.give")
        other = self._tree(tree["otherwise"], names, f"{at}.otherwise") if "otherwise" in tree else _LEFT_OUT
        ask, give, otherwise = asked.give, given.give, other.give

        def one_of_two(scope: Scope) -> JsonValue | Missing:
            answer = ask(scope)
            return give(scope) if not isinstance(answer, Missing) and is_there(answer) else otherwise(scope)

        shape = given.shape if other is _LEFT_OUT or other.shape == given.shape else ANYTHING
        return Tree(
            one_of_two,
            shape,
            asked.words | given.words | other.words,
            may_be_absent=other.may_be_absent or given.may_be_absent,
        )

    def _picked(self, leaf: JsonValue, names: Shape, at: str, *, optional: bool = False) -> Tree:
        """A leaf that picks; null does not hold the record where it is `optional`."""
        if not isinstance(leaf, str) or not leaf.startswith(("=", "?=")) or leaf.startswith("=="):
            self._faults.append(f'{at}: an expression, such as "=items"')
            return _fixed(None)
        return self._leaf(f"?{leaf}" if optional and leaf.startswith("=") else leaf, names, at)


def _inside(entry: Shape, names: Shape) -> Shape:
    """The names inside a `for_each`: the entry's own, and those that stand everywhere."""
    if isinstance(entry, Anything) or not isinstance(names, Fields):
        return ANYTHING
    kept = {name: names.fields[name] for name in (RECORD_NAME, VARIABLES_NAME) if name in names.fields}
    own = entry.fields if isinstance(entry, Fields) else {}
    return Fields({**own, **kept, ENTRY_NAME: entry})


def _scope_of(entry: JsonValue, outer: Scope) -> Scope:
    own = entry if isinstance(entry, dict) else {}
    return {**own, **outer, ENTRY_NAME: entry}


def _key(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fixed(value: JsonValue) -> Tree:
    return Tree(lambda _: value, ANYTHING, frozenset(), is_fixed=True)


_LEFT_OUT: Final = Tree(lambda _: MISSING, ANYTHING, frozenset(), may_be_absent=True)


def _words(trees: Iterable[Tree]) -> frozenset[str]:
    return frozenset[str]().union(*(tree.words for tree in trees))


def _list_of(entries: list[Tree]) -> Tree:
    gives = [(entry.give, entry.is_spread) for entry in entries]

    def give(scope: Scope) -> JsonValue:
        given: list[JsonValue] = []
        for part, is_spread in gives:
            value = part(scope)
            if is_spread and isinstance(value, list):
                given += value
            elif not isinstance(value, Missing):
                given.append(value)
        return given

    alone = len(entries) == 1 and not entries[0].is_spread
    shape = Entries(entries[0].shape if alone else ANYTHING)
    return _folded(Tree(give, shape, _words(entries)), entries)


def _object_of(parts: dict[str, Tree]) -> Tree:
    gives = [(name, part.give) for name, part in parts.items()]

    def give_all(scope: Scope) -> JsonValue:
        return {name: part(scope) for name, part in gives}  # type: ignore[misc]  # none of them may be absent

    def give_some(scope: Scope) -> JsonValue:
        given = [(name, part(scope)) for name, part in gives]
        return {name: value for name, value in given if not isinstance(value, Missing)}

    give = give_some if any(part.may_be_absent for part in parts.values()) else give_all
    shape = Fields({name: part.shape for name, part in parts.items()})
    return _folded(Tree(give, shape, _words(parts.values())), list(parts.values()))


def _folded(tree: Tree, parts: list[Tree]) -> Tree:
    """The tree, made once if nothing in it depends on the record."""
    if not all(part.is_fixed for part in parts):
        return tree
    value = tree.give({})
    return Tree(lambda _: value, tree.shape, frozenset(), is_fixed=True)


def _required(expression: Expression) -> _Render:
    def leaf(scope: Scope) -> JsonValue:
        value = _evaluated(expression, scope)
        if value is None:
            raise _missing(expression)
        return value

    return leaf


def _optional(expression: Expression) -> _Render:
    return lambda scope: _evaluated(expression, scope)


def _evaluated(expression: Expression, scope: Scope) -> JsonValue:
    try:
        return expression.value(scope)
    except ExpressionFaultError as error:
        raise DeliveryHeldError(
            f"An expression of the destination file does not work for this record: {error}.",
            next_step="Let it say what to send for such a record, or reject the record.",
            code="mapping-fault",
        ) from None


def _missing(expression: Expression) -> DeliveryHeldError:
    own = (name for name in expression.names if name not in (RECORD_NAME, ENTRY_NAME, VARIABLES_NAME))
    return DeliveryHeldError(
        f"The destination needs {expression.text}, and this record has none.",
        next_step="Let the destination file say what to send instead, or reject the record.",
        code=f"missing-{next(own, 'value').replace('_', '-')}",
    )


def same_value(sent: JsonValue, shown: JsonValue) -> bool:
    """Whether a portal shows what was sent, whatever type it chose: 14 is "14" and 14.0, a day is its midnight.

    Lists must have the same entries, in another order only where each entry shows everything it was sent with: answers
    without their questions mean what their places say. Keys the portal added do not count, keys it does not show do not
    either.
    """
    if type(sent) is type(shown) and isinstance(sent, _PLAIN) and sent == shown:
        return True  # nearly always, and the rest below takes its time
    if isinstance(sent, dict) and isinstance(shown, dict):
        return all(same_value(value, shown[name]) for name, value in sent.items() if name in shown)
    if isinstance(sent, list) and isinstance(shown, list):
        return len(sent) == len(shown) and _same_entries(sent, shown)
    if isinstance(sent, bool) or isinstance(shown, bool) or sent is None or shown is None:
        return sent is shown or (sent == [] and shown is None)
    if isinstance(sent, int | float) and isinstance(shown, int | float):
        return sent == shown
    if isinstance(sent, int | float | str) and isinstance(shown, int | float | str):
        return str(sent) == str(shown) or str(shown).startswith((f"{sent}T00:00", f"{sent} 00:00"))
    return sent == [] and shown is None


def _same_entries(sent: list[JsonValue], shown: list[JsonValue]) -> bool:
    if all(same_value(ours, theirs) for ours, theirs in zip(sent, shown, strict=True)):
        return True
    left = list(shown)
    for entry in sent:
        match = next((index for index, other in enumerate(left) if _is_same_entry(entry, other)), None)
        if match is None:
            return False
        del left[match]
    return True


def _is_same_entry(sent: JsonValue, shown: JsonValue) -> bool:
    """Whether an entry at another place is the same one: it must say itself which one it is."""
    if not isinstance(sent, dict) or not isinstance(shown, dict):
        return False
    return sent.keys() <= shown.keys() and same_value(sent, shown)
