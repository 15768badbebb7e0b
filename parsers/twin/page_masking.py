"""Everything on a page that no template accounts for, made unreadable: it may be a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from parsers.drafting.vocabulary import USUAL_DATE_FORMATS
from parsers.lines import Line
from parsers.twin.invention import Invention
from records.document import Word

_LONGEST_DATE = 5  # words: "March 30, 2026 09:15 AM"
_LONGEST_PHRASE = 8  # words of a heading
_CHILDHOOD = 4  # a date this many years before the report is a birth date rather than a visit


def masked_words(
    lines: Sequence[Line],
    invention: Invention,
    *,
    formats: Sequence[str],
    today: date,
    keeps: Callable[[Sequence[Word]], bool] = lambda _: False,
) -> Iterator[tuple[Word, str]]:
    """Each word with what stands in its place; a date becomes an invented date.

    Args:
        lines: Words to mask, as lines.
        invention: The report's inventions.
        formats: Date formats of the template, tried before the usual ones.
        today: Today at the site.
        keeps: Which words stay as they are, asked for every run of words of a line and every part of it.
    """
    known = tuple(dict.fromkeys((*formats, *USUAL_DATE_FORMATS)))
    for line in lines:
        for run in line.runs():
            at = 0
            while at < len(run):
                taken = _kept(run[at:], keeps) or _date(run[at:], invention, known, today)
                if taken is None:
                    taken = [(run[at], invention.masked(run[at].text))]
                yield from taken
                at += len(taken)


def _kept(run: Sequence[Word], keeps: Callable[[Sequence[Word]], bool]) -> list[tuple[Word, str]] | None:
    for end in range(min(len(run), _LONGEST_PHRASE), 0, -1):
        if keeps(run[:end]):
            return [(word, word.text) for word in run[:end]]
    return None


def _date(
    run: Sequence[Word], invention: Invention, formats: Sequence[str], today: date
) -> list[tuple[Word, str]] | None:
    for end in range(min(len(run), _LONGEST_DATE), 0, -1):
        text = " ".join(word.text for word in run[:end])
        if not any(character.isdigit() for character in text):
            continue
        for form in formats:
            day = invention.date_text(text, (form,), birth=False, not_after=today)
            if day is None:
                continue
            birth = (today.year - day[1].year) > _CHILDHOOD
            made = invention.date_text(text, (form,), birth=birth, not_after=today) or day
            tokens = made[0].split()
            if len(tokens) == end:
                return list(zip(run[:end], tokens, strict=True))
    return None
