"""Splink 5 with the model its documentation builds for people: names with term frequencies, birth date, record number.

https://moj-analytical-services.github.io/splink: `NameComparison` for given and family name, both adjusted for term
frequency, `DateOfBirthComparison`, `ExactMatch` of the number. Trained as its tutorial does: the chance that two
records match from deterministic rules, u from ten million random pairs, m by expectation maximisation in two blocks.
Splink expects cleaned columns: names come without accents and case, numbers without prefix and leading zeros.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from bench.matching_answers import Answer
from bench.matching_people import PeopleSet, TruePrint
from bench.misprints import without_accents
from records.patient import PatientIdentity, RosterPatient

CUT = 0.999
_RECALL = 0.7  # of the deterministic rules; FEBRL4 and the households lie about there
_BEST = """
select unique_id_r as row, arg_max(unique_id_l, match_weight) as best, max(match_weight) as score,
    arg_max(match_probability, match_weight) as probability
from {this} group by unique_id_r
"""


class SplinkModel:
    """A linker trained on a roster and its prints.

    Raises:
        ModuleNotFoundError: Splink is not installed (see `requirements-bench.in`).
    """

    def __init__(self, people: PeopleSet, *, numbers: bool) -> None:
        from splink import DuckDBAPI, Linker

        warnings.simplefilter("ignore")
        logging.getLogger("splink").setLevel(logging.ERROR)
        self._people = people
        self._api = DuckDBAPI()
        rows = _table(_row(number, patient) for number, patient in enumerate(people.patients))
        learnt = people.ordinary or people.prints
        prints = _table(_row(number, printed.identity) for number, printed in enumerate(learnt))
        self._roster = self._api.register(rows, dataset_display_name="a_roster")
        self._prints = self._api.register(prints, dataset_display_name="b_prints")
        self._linker = Linker([self._roster, self._prints], _settings(numbers=numbers), log_level=None)
        self._train(numbers=numbers)

    def _train(self, *, numbers: bool) -> None:
        from splink import block_on

        training = self._linker.training
        sure = [block_on("given", "family", "dob"), *([block_on("mrn", "dob")] if numbers else [])]
        training.estimate_probability_two_random_records_match(sure, recall=_RECALL)
        training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
        for rule in (block_on("given", "family"), block_on("dob")):
            training.estimate_parameters_using_expectation_maximisation(rule)

    def answers(self) -> Iterator[Answer]:
        """The best candidate of every print, in one batch."""
        self.ready()
        found = {row["row"]: row for row in self.search(self._people.prints, name="c_prints")}
        for number, printed in enumerate(self._people.prints):
            yield self._answer(printed, found.get(number))

    def ready(self) -> None:
        """Compute the tables of term frequencies that searching for single prints needs."""
        for column in ("given", "family"):
            self._linker.table_management.compute_tf_table(column)

    def search(self, prints: Iterable[TruePrint], *, name: str) -> list[dict[str, Any]]:
        """The best candidates of new prints, by the trained model; `name` is that of their table, used once."""
        table = _table(_row(number, printed.identity) for number, printed in enumerate(prints))
        new = self._api.register(table, dataset_display_name=name)
        return self._best(self._linker.inference.predict_between(self._roster, new))

    def _best(self, pairs: Any) -> list[dict[str, Any]]:
        return list(pairs.query_sql(_BEST).as_record_list())

    def _answer(self, printed: TruePrint, found: dict[str, Any] | None) -> Answer:
        if found is None:
            return Answer(printed=printed, best=None, score=float("-inf"), probability=0.0, automatic=False)
        return Answer(
            printed=printed,
            best=self._people.patients[found["best"]].patient_id,
            score=found["score"],
            probability=found["probability"],
            automatic=found["probability"] >= CUT,
        )


def splink(people: PeopleSet) -> Iterator[Answer]:
    """The best candidate of Splink's model, automatic from a probability of 0.999 on."""
    return SplinkModel(people, numbers=any(printed.identity.mrn for printed in people.prints)).answers()


def _settings(*, numbers: bool) -> Any:
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    comparisons = [
        cl.NameComparison("given").configure(term_frequency_adjustments=True),
        cl.NameComparison("family").configure(term_frequency_adjustments=True),
        cl.DateOfBirthComparison("dob", input_is_string=False),
    ]
    rules = [
        block_on("given", "family"),
        "l.given = r.family and l.family = r.given",
        block_on("dob"),
        block_on("family", "year(dob)"),
        block_on("given", "year(dob)"),
        block_on("given", "month(dob)", "day(dob)"),
        block_on("substr(family, 1, 3)", "substr(given, 1, 3)"),
    ]
    if numbers:
        comparisons.append(cl.ExactMatch("mrn"))
        rules.append(block_on("mrn"))
    return SettingsCreator(link_type="link_only", comparisons=comparisons, blocking_rules_to_generate_predictions=rules)


def _row(number: int, who: PatientIdentity | RosterPatient) -> dict[str, Any]:
    return {
        "unique_id": number,
        "given": _plain(who.given),
        "family": _plain(who.family),
        "dob": who.birth_date,
        "mrn": re.sub(r"\D", "", who.mrn).lstrip("0") if who.mrn else None,
    }


def _plain(name: str | None) -> str | None:
    return without_accents(name).casefold() if name else None


def _table(rows: Iterable[dict[str, Any]]) -> Any:
    import pyarrow as pa

    kinds = [("unique_id", pa.int64()), ("given", pa.string()), ("family", pa.string()), ("dob", pa.date32())]
    return pa.Table.from_pylist(list(rows), schema=pa.schema([*kinds, ("mrn", pa.string())]))
