"""What a value offered to a destination file is made of, so that a misspelt field is found before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Final, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict


@dataclass(frozen=True, slots=True)
class Anything:
    """Nothing is known of it: any field may be asked for."""


@dataclass(frozen=True, slots=True)
class Single:
    """Text, a number or a flag: no fields, no entries."""


@dataclass(frozen=True, slots=True)
class Entries:
    """A list whose entries all have one shape."""

    entry: Shape


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with these fields and no others."""

    fields: Mapping[str, Shape]


Shape = Anything | Single | Entries | Fields

ANYTHING: Final = Anything()
SINGLE: Final = Single()


def shape_of(declared: object) -> Shape:
    """The shape of a declared type: a `TypedDict`, a list, or a single value; null may stand anywhere."""
    if is_typeddict(declared):
        hints = get_type_hints(declared)
        return Fields(MappingProxyType({name: shape_of(hint) for name, hint in hints.items()}))
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is Annotated:
        return shape_of(arguments[0])
    if origin in (Union, UnionType):
        shapes = {_key(shape): shape for shape in (shape_of(a) for a in arguments if a is not NoneType)}
        return next(iter(shapes.values())) if len(shapes) == 1 else ANYTHING
    if origin is list:
        return Entries(shape_of(arguments[0]))
    return SINGLE if declared in (str, int, float, bool) else ANYTHING


def _key(shape: Shape) -> object:
    return shape if isinstance(shape, Single) else id(shape)
