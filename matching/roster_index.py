"""Finds the few roster patients worth comparing with a print, without looking at all of them.

Every patient is filed under several keys (`matching.roster_keys`); a print is looked up under all of its own. Keys are
whole numbers in one sorted array, so a look-up is a binary search and a million patients need no objects. Only a print
whose every key is wrong finds nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from matching.name_frequency import NameFrequency
from matching.name_pool import NamePool
from matching.normalisation import mrn_core, strip_mrn_zeros
from matching.person import Person, printed_person
from matching.roster_columns import RosterColumns, columns_of
from matching.roster_keys import (
    Keys,
    birth_date_keys,
    filed_under,
    mrn_keys,
    near_keys,
    near_single_keys,
    single_keys,
    sure_keys,
)
from records.patient import PatientIdentity, Roster, RosterPatient

Rows = npt.NDArray[np.int32]

# A key that this many patients share tells nothing (a day entered by default, a family name in a large clinic).
_CROWDED: Final = 5_000
_MANY: Final = 300
_NAMESAKES: Final = 150  # more who share a name that is all there is to go by, and none of them is likely
_LOW: Final = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, eq=False)
class RosterIndex:
    """The roster of one site, ready for `matching.decision.decide`. Build it once per roster, share it freely.

    Attributes:
        columns: The patients; a row is a position in here.
        pool: Their names.
        frequency: How common names and birth dates are among them.
    """

    columns: RosterColumns
    pool: NamePool
    frequency: NameFrequency
    _keys: Keys  # ascending; the hash in the upper half, the row in the lower

    @classmethod
    def build(cls, roster: Roster) -> RosterIndex:
        """File every patient. Takes seconds for a million; the order of the roster does not matter."""
        pool = NamePool()
        columns = columns_of(roster.patients, pool)
        keys = filed_under(columns, pool)
        keys.sort()
        return cls(columns, pool, NameFrequency.of(columns, pool), keys)

    def updated(self, changed: Iterable[RosterPatient], removed: Iterable[str]) -> RosterIndex:
        """The index after a roster update, without filing again whoever has not changed.

        Args:
            changed: Patients as they are now, new ones among them.
            removed: Ids of patients who are no longer listed; unknown ones count for nothing.
        """
        patients = list(changed)
        gone = {patient.patient_id for patient in patients}.union(removed)
        ids = self.columns.patient_ids
        stays = np.fromiter((patient_id not in gone for patient_id in ids), dtype=np.bool_, count=len(ids))
        pool = self.pool.copy()
        fresh = columns_of(patients, pool)
        columns = replace(self.columns, listed=self.columns.listed & stays).followed_by(fresh)
        keys = filed_under(fresh, pool) + np.uint64(len(ids))
        keys.sort()
        kept = self._keys[columns.listed[(self._keys & _LOW).astype(np.int64)]]
        merged = np.insert(kept, np.searchsorted(kept, keys), keys)
        return RosterIndex(columns, pool, NameFrequency.of(columns, pool), merged)

    def __len__(self) -> int:
        """How many patients are listed."""
        return self.frequency.people

    def person(self, row: int) -> Person:
        """The patient of a row, normalised."""
        return self.columns.person(row, self.pool.names)

    def patient_id(self, row: int) -> str:
        """The portal's id of a row's patient: of a record that was merged, the patient whom it was merged into."""
        return self.columns.merged_into.get(row) or self.columns.patient_ids[row]

    def row_of(self, patient_id: str) -> int | None:
        """The row of a patient's own record, or None if there is none of this id."""
        return next((row for row in self.columns.patient_ids.find(patient_id) if self.columns.listed[row]), None)

    def is_active(self, row: int) -> bool:
        """Whether the clinic lists a row's patient as active."""
        if row not in self.columns.merged_into:
            return bool(self.columns.active[row])
        survivor = self.row_of(self.patient_id(row))
        return survivor is not None and survivor not in self.columns.merged_into and bool(self.columns.active[survivor])

    def survivor(self, row: int) -> Person | None:
        """The patient whom a row's record was merged into; None if it was not merged, or into nobody who is listed."""
        into = self.row_of(self.patient_id(row)) if row in self.columns.merged_into else None
        return None if into is None else self.person(into)

    def candidates(self, identity: PatientIdentity) -> Rows:
        """Rows of the patients who share at least one key with the print, ascending, each once."""
        printed = printed_person(identity)
        return np.unique(np.concatenate([self.sure(printed), self.near(printed), self.named(printed)]))

    def sure(self, printed: Person) -> Rows:
        """Rows of the patients with the record number's digits, the birth date or both names of the print."""
        return self._filed_under(sure_keys(printed))

    def near(self, printed: Person) -> Rows:
        """Rows of the patients who share less with the print, such as one name and a part of the birth date.

        Where that is many, those who share it under one key only are left out: the patient shares it under several.
        """
        entries = self._entries(near_keys(printed, self._one_slip_away), crowd=_CROWDED)
        rows, keys = np.unique(entries, return_counts=True)
        several: Rows = rows[keys > 1]
        return several if len(rows) > _MANY and len(several) else rows

    def named(self, printed: Person) -> Rows:
        """Rows of the patients who share one name with the print, or nearly so, unless too many do."""
        rows = self._filed_under(single_keys(printed), crowd=_NAMESAKES)
        if len(rows):
            return rows
        return self._filed_under(near_single_keys(printed, self._one_slip_away), crowd=_NAMESAKES)

    def born_on(self, day: date) -> Rows:
        """Rows of the patients born on this day."""
        return self._filed_under(birth_date_keys(day))

    def maybe_of_family(self, rows: Rows, row: int) -> Rows:
        """Those of `rows` with the family name of `row`, and those with several or former ones, who may share it."""
        family, former, several = self.columns.family, self.columns.former, self.pool.codes.several
        if several[family[row]] or former[row]:
            return rows
        chosen: Rows = rows[(family[rows] == family[row]) | several[family[rows]] | (former[rows] > 0)]
        return chosen

    def with_mrn_digits(self, mrn: str) -> tuple[int, ...]:
        """Rows of the patients whose record number has the digits of a normalised one, whatever letters stand around
        them and zeros before them."""
        if not mrn:
            return ()
        core = mrn_core(mrn)
        rows = self._filed_under(mrn_keys(mrn)).tolist()
        return tuple(row for row in rows if mrn_core(self.columns.mrns[row]) == core)

    def has_mrn(self, row: int, mrn: str) -> bool:
        """Whether a row's record number is a normalised one, but for padding zeros."""
        return strip_mrn_zeros(self.columns.mrns[row]) == strip_mrn_zeros(mrn)

    def _one_slip_away(self, name: str) -> list[str]:
        return [other for other in self.pool.one_slip_away(name) if self.frequency.is_borne(other)]

    def _filed_under(self, wanted: Keys, *, crowd: int = _CROWDED) -> Rows:
        return np.unique(self._entries(wanted, crowd=crowd))

    def _entries(self, wanted: Keys, *, crowd: int) -> Rows:
        """The rows under each key that no more than `crowd` share; a row stands once for each of its keys."""
        starts = self._keys.searchsorted(wanted).tolist()
        ends = self._keys.searchsorted(wanted | _LOW, side="right").tolist()
        slices = [self._keys[a:b] for a, b in zip(starts, ends, strict=True) if 0 < b - a <= crowd]
        if not slices:
            return np.empty(0, dtype=np.int32)
        return (np.concatenate(slices) & _LOW).astype(np.int32)
