"""The columns of a list of patients, and what a person says of each.

The examples are patient data: they are on a page or in an answer, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FIELD_WORDS: Final[Mapping[str, str]] = {
    "patient_id": "Portal id", "site": "Clinic", "mrn": "Record number", "family": "Family name",
    "second_family": "Second family name", "given": "Given name", "middle": "Middle name", "suffix": "Suffix",
    "preferred": "Called name", "former_family": "Former name", "birth_date": "Date of birth", "sex": "Sex",
    "phone": "Phone", "clinician": "Clinician", "last_visit": "Last visit", "active": "Status", "inactive": "Inactive",
    "deceased": "Deceased", "merged_into": "Merged into", "name": "Whole name",
}  # fmt: skip
# In many systems the portal knows patients by their record number.
TOGETHER: Final = "patient_id mrn"
DATE_FORMATS: Final[Mapping[str, str]] = {
    "%Y-%m-%d": "1984-06-30, year first",
    "%m/%d/%Y": "06/30/1984, month first",
    "%d/%m/%Y": "30/06/1984, day first",
    "%d.%m.%Y": "30.06.1984",
    "%d-%m-%Y": "30-06-1984",
    "%m-%d-%Y": "06-30-1984",
    "%m/%d/%y": "06/30/84, month first",
    "%d/%m/%y": "30/06/84, day first",
    "%d-%b-%Y": "30-Jun-1984",
    "%d %b %Y": "30 Jun 1984",
    "%Y%m%d": "19840630",
}
_LONGEST_FORMAT: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ListColumn:
    """One column.

    Attributes:
        number: From 0.
        examples: A few of its cells.
        fields: What it is taken as now; empty if it is not used.
        is_fixed: The settings file says what it is.
        is_nameable: It has a header that no other column has; without one it cannot be chosen.
    """

    number: int
    header: str
    examples: tuple[str, ...]
    fields: tuple[str, ...]
    is_fixed: bool
    is_nameable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListColumns:
    """The columns of a list.

    Attributes:
        left_out: How many further columns are not here.
        date_format: `strptime` format that all dates are read by, or None to tell it from the dates.
        is_date_fixed: The settings file says it.
        fixed_fields: Fields of which the settings file says where they stand, or that they stand nowhere.
    """

    columns: tuple[ListColumn, ...]
    left_out: int
    date_format: str | None
    is_date_fixed: bool
    fixed_fields: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChoice:
    """What a person says of the columns of a list.

    Attributes:
        fields: Column to the name of its field, to `TOGETHER`, or to "" if it is not used.
        date_format: `strptime` format of all dates; "" to tell it from the dates.
    """

    fields: Mapping[int, str]
    date_format: str


def problems(columns: ListColumns, choice: ColumnChoice) -> list[str]:
    """Why a choice cannot be right, in sentences without patient data; empty if it can."""
    named = [name for field in choice.fields.values() for name in field.split()]
    said = [f"“{FIELD_WORDS[name]}” is chosen twice." for name in FIELD_WORDS if named.count(name) > 1]
    fixed = [name for name in FIELD_WORDS if name in named and name in columns.fixed_fields]
    said += [f"“{FIELD_WORDS[name]}” is set in scorebridge.toml." for name in fixed]
    if any(name not in FIELD_WORDS for name in named):
        said.append("One of the fields is none that there is.")
    free = {one.number for one in columns.columns if one.is_nameable and not one.is_fixed}
    if any(field and number not in free for number, field in choice.fields.items()):
        said.append("A column is named that cannot be chosen.")
    have = {*named, *(name for one in columns.columns if one.is_fixed for name in one.fields)}
    if "patient_id" not in have:
        said.append("No column is the portal id.")
    if "name" not in have and not {"family", "given"} <= have:
        said.append("No columns are family name and given name, and none is the whole name.")
    if len(choice.date_format) > _LONGEST_FORMAT:
        said.append("The date format is too long.")
    return said


def named_headers(columns: ListColumns, choice: ColumnChoice) -> dict[str, str]:
    """Field to the header it stands under, "" for a field that no column is; without those of the settings file.

    Args:
        choice: One without problems.
    """
    headers = {
        name: columns.columns[number].header for number, field in choice.fields.items() for name in field.split()
    }
    return {name: headers.get(name, "") for name in FIELD_WORDS if name not in columns.fixed_fields}
