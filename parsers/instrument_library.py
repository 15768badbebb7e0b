"""The instrument library: its files read and checked, and how a printed name or severity word finds its entry.

A name is never guessed: it is one of the library's or the template's, or it is unknown. Case, spaces, hyphens and other
punctuation do not count; every letter and digit does, so that a PHQ-8 never becomes a PHQ-9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Final

import yaml
from pydantic import ValidationError

from parsers.instruments.schema import InstrumentFile, fold_words
from records.errors import SettingsError
from records.instrument import Instrument, SeverityBand

# Words after a name that say nothing about which instrument it is.
_NOISE: Final = frozenset({"score", "scores", "total", "scale"})
# "Patient Health Questionnaire (PHQ-9)", "GAD-7: Generalized Anxiety Disorder-7", "PHQ-9 - Patient Health …"
_PARTS: Final = re.compile(r"[()\[\]{}:;,/|]|\s[-‐-―−]\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentName:
    """What a printed name stands for.

    Attributes:
        instrument_id: The instrument, or None if the name is unknown or several claim it.
        ambiguous: The name leaves open which form or scoring was used: always a person's decision. With an
            `instrument_id` that instrument's critical rules still hold, its total must not be sent.
        candidates: Every instrument the name may mean, sorted; empty if it is unknown.
    """

    instrument_id: str | None
    ambiguous: bool = False
    candidates: tuple[str, ...] = ()


_UNKNOWN: Final = InstrumentName(instrument_id=None)


@cache
def load_instruments() -> Mapping[str, Instrument]:
    """Every instrument of the library by its id.

    Raises:
        SettingsError: A file is wrong; every fault of every file is listed.
    """
    folder = resources.files("parsers.instruments")
    files = {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".yaml")}
    return read_instruments(files)


def read_instruments(files: Mapping[str, str]) -> Mapping[str, Instrument]:
    """Instruments by id from YAML texts by file name.

    Raises:
        SettingsError: A file is wrong, or two files claim one name; every fault is listed.
    """
    faults: list[str] = []
    instruments: dict[str, Instrument] = {}
    for name, text in sorted(files.items()):
        file, found = _read(name, text)
        faults += [f"{name}: {fault}" for fault in found]
        if file is not None:
            instruments[file.id] = file.instrument()
    faults += _rival_names(instruments)
    if faults:
        raise SettingsError(
            "The instrument library has faults:\n" + "\n".join(faults), next_step="Correct the files named above."
        )
    return MappingProxyType(instruments)


def resolve(
    printed: str, instruments: Mapping[str, Instrument], synonyms: Mapping[str, str] | None = None
) -> InstrumentName:
    """The instrument a printed name stands for.

    A name with several parts, such as "Patient Health Questionnaire (PHQ-9)", resolves if every part is known and
    exactly one instrument fits them all. Words such as "total score" after a name do not count.

    Args:
        printed: The name as printed.
        instruments: The library.
        synonyms: A template's own names, to instrument ids; they come before the library's.
    """
    own: dict[str, set[str]] = {}
    for name, instrument_id in (synonyms or {}).items():
        own.setdefault(_key(name), set()).add(instrument_id)
    meaning = _meaning(printed, instruments, own)
    if meaning is not None:
        return meaning
    parts = [part for part in _PARTS.split(printed) if _key(part) and not set(fold_words(part).split()) <= _NOISE]
    if len(parts) < 2:
        return _UNKNOWN
    return _common([_meaning(part, instruments, own) for part in parts])


def severity_band(
    printed: str, instrument: Instrument, synonyms: Mapping[str, str] | None = None
) -> SeverityBand | None:
    """The band that a printed severity names, or None if the word is unknown or the instrument has no sourced bands.

    Args:
        printed: The severity as printed.
        instrument: The instrument of the record.
        synonyms: A template's own words, to labels of bands; they come before the library's.
    """
    labels = {fold_words(band.label): band for band in instrument.bands}
    words = {word: labels[fold_words(label)] for word, label in instrument.severity_synonyms if labels}
    own = {fold_words(word): labels.get(fold_words(label)) for word, label in (synonyms or {}).items()}
    return {**words, **labels, **own}.get(fold_words(printed))


def result_level(printed: str, instrument: Instrument, synonyms: Mapping[str, str] | None = None) -> str | None:
    """The level that a printed result names, for an instrument without a total; None if the word is unknown.

    Args:
        printed: The result as printed.
        instrument: The instrument of the record.
        synonyms: A template's own words, to levels; they come before the library's.
    """
    levels = {fold_words(level): level for level in instrument.levels}
    words = {word: levels[fold_words(level)] for word, level in instrument.severity_synonyms if levels}
    own = {fold_words(word): levels.get(fold_words(level)) for word, level in (synonyms or {}).items()}
    return {**words, **levels, **own}.get(fold_words(printed))


class _Loader(yaml.SafeLoader):
    """Refuses a key given twice, where the last one would win unseen."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[object, object]:
    loader.flatten_mapping(node)
    pairs = [tuple(loader.construct_object(part, deep=True) for part in pair) for pair in node.value]
    for place, (key, _) in enumerate(pairs):
        if any(key == earlier for earlier, _ in pairs[:place]):
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", node.start_mark)
    return dict(pairs)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _read(name: str, text: str) -> tuple[InstrumentFile | None, list[str]]:
    try:
        file = InstrumentFile.model_validate(yaml.load(text, Loader=_Loader))  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        return None, [f"not readable as YAML: {' '.join(str(error).split())}"]
    except ValidationError as error:
        return None, [f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()]
    faults = [f"{place}: {sentence}" for place, sentence in file.faults()]
    if name != f"{file.id}.yaml":
        faults.insert(0, f"id: is {file.id!r}, which belongs into {file.id}.yaml")
    return (None if faults else file), faults


def _rival_names(instruments: Mapping[str, Instrument]) -> list[str]:
    """Names that one instrument claims for itself and another claims too, openly or not."""
    faults = []
    for instrument_id, instrument in instruments.items():
        for key in sorted(_own_keys(instrument)):
            rivals = sorted(
                rival
                for rival, other in instruments.items()
                if rival != instrument_id and key in _own_keys(other) | _open_keys(other)
            )
            faults += [f"{instrument_id}.yaml: names: {key!r} is also a name of {rival}" for rival in rivals]
    return faults


def _meaning(printed: str, instruments: Mapping[str, Instrument], own: Mapping[str, set[str]]) -> InstrumentName | None:
    """What one name stands for, as printed or without the words that say nothing; None if it is unknown."""
    for key in _keys(printed):
        ids = own.get(key)
        if ids is not None:
            known = sorted(ids & instruments.keys())
            return _name(known, ambiguous=len(known) > 1) if known else None
        exact = [instrument_id for instrument_id, entry in instruments.items() if key in _own_keys(entry)]
        if exact:
            return _name(exact, ambiguous=len(exact) > 1)
        open_to = [instrument_id for instrument_id, entry in instruments.items() if key in _open_keys(entry)]
        if open_to:
            return _name(open_to, ambiguous=True)
    return None


def _common(meanings: list[InstrumentName | None]) -> InstrumentName:
    """The one instrument that all parts of a name fit; unknown as soon as one part is."""
    known = [meaning for meaning in meanings if meaning is not None]
    if len(known) < len(meanings):
        return _UNKNOWN
    shared = set.intersection(*(set(meaning.candidates) for meaning in known))
    return _name(sorted(shared), ambiguous=all(meaning.ambiguous for meaning in known)) if shared else _UNKNOWN


def _name(candidates: list[str], *, ambiguous: bool) -> InstrumentName:
    return InstrumentName(
        instrument_id=candidates[0] if len(candidates) == 1 else None,
        ambiguous=ambiguous,
        candidates=tuple(sorted(candidates)),
    )


def _keys(printed: str) -> Iterator[str]:
    """Keys to look a name up by, the whole name first; none for a name without letters and digits."""
    words = fold_words(printed).split()
    while words:
        yield "".join(words)
        if words[-1] not in _NOISE:
            return
        words.pop()


def _key(text: str) -> str:
    return fold_words(text).replace(" ", "")


def _own_keys(instrument: Instrument) -> frozenset[str]:
    return _keys_but((instrument.instrument_id, instrument.title, *instrument.aliases), instrument.ambiguous_aliases)


def _open_keys(instrument: Instrument) -> frozenset[str]:
    return _keys_of(instrument.ambiguous_aliases)


@lru_cache(maxsize=1024)
def _keys_but(names: tuple[str, ...], open_names: tuple[str, ...]) -> frozenset[str]:
    return _keys_of(names) - _keys_of(open_names)


@lru_cache(maxsize=1024)
def _keys_of(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_key(name) for name in names)
