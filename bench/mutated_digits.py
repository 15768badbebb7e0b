"""One mutation of printed digits per function: (report, random) to a mutant, or None where it has no place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from random import Random

from bench.page_changes import Mutant, cells_of, held_of, redrawn, saying, set_at, users
from bench.printed_report import Place, PrintedReport
from parsers.readers import drawing
from parsers.readers.artwork import Lettering


def _digit(report: PrintedReport, random: Random, *names: str) -> tuple[Place, int] | None:
    """A digit of some cell: its word, and its place in the word."""
    found = [
        (place, at)
        for _, _, places in cells_of(report, *names)
        for place in places
        for at, sign in enumerate(set_at(report, place).text)
        if sign.isdigit() and sign.isascii()
    ]
    return random.choice(found) if found else None


def _other(random: Random, digit: str) -> str:
    return random.choice([sign for sign in "0123456789" if sign != digit])


def change_score(report: PrintedReport, random: Random) -> Mutant | None:
    """One digit of a total is another one, drawn and written: the print says another score."""
    return _with_digit(report, random, "total")


def change_answer(report: PrintedReport, random: Random) -> Mutant | None:
    """One digit of the points of an answer is another one."""
    return _with_digit(report, random, "item")


def change_identity(report: PrintedReport, random: Random) -> Mutant | None:
    """One digit of a record number or a date is another one."""
    return _with_digit(report, random, "mrn", "birth_date", "authored_on")


def _with_digit(report: PrintedReport, random: Random, *names: str) -> Mutant | None:
    found = _digit(report, random, *names)
    if found is None:
        return None
    place, at = found
    old = set_at(report, place).text
    new = old[:at] + _other(random, old[at]) + old[at + 1 :]
    told = list(report.told)
    for n, words in enumerate(report.words):
        for name, places in words.items():
            if name == "whole":  # the cells of a row that hold several values, for all its records alike
                continue
            text = report.told[n].text(name) or ""
            if place in places and text.count(old) == 1:
                told[n] = told[n].saying(name, text.replace(old, new))
            elif place in places:
                told[n] = replace(told[n], held=True)
    return Mutant(sheets=redrawn(report, {place: saying(report, place, new)}), told=tuple(told))


def lying_map(report: PrintedReport, random: Random) -> Mutant | None:
    """The file says another digit than it draws, in one word: nobody may rely on it.

    Only values that nothing else contradicts: a record number or a birth date is held against the roster.
    """
    found = _digit(report, random, *random.choice((("total",), ("item", "total"), ("authored_on",))))
    used = {(each.serif, each.mono, each.bold, each.italic) for sheet in report.sheets for each in sheet.letterings}
    if found is None:
        return None
    place, at = found
    old = set_at(report, place)
    faces = [
        (serif, mono, bold, italic)
        for serif, mono in ((False, False), (True, False), (False, True))
        for bold in (old.bold, not old.bold)
        for italic in (False, True)
    ]
    free = [face for face in faces if face not in used]
    if old.turned or not free:
        return None
    serif, mono, bold, italic = free[0]
    drawn = _other(random, old.text[at])
    shown = replace(
        old, text=old.text[:at] + drawn + old.text[at + 1 :], serif=serif, mono=mono, bold=bold, italic=italic
    )
    if old.text.count(old.text[at]) > 1 or drawn in old.text:
        return None
    maps = {drawing.typeface_of(shown): {drawn: old.text[at]}}
    return Mutant(sheets=redrawn(report, {place: shown}), told=held_of(report, users(report, [place])), maps=maps)


def overprint(report: PrintedReport, random: Random) -> Mutant | None:
    """Another digit is printed upon a score."""
    found = _digit(report, random, "total", "item")
    if found is None:
        return None
    place, at = found
    old = set_at(report, place)
    text = old.text[:at] + _other(random, old.text[at]) + old.text[at + 1 :]
    more = [(place[0], replace(saying(report, place, text), x=old.x + random.choice((0.0, 0.2)), order=10**6))]
    return Mutant(sheets=redrawn(report, {}, more), told=held_of(report, users(report, [place])))


def fake_bold(report: PrintedReport, random: Random) -> Mutant | None:
    """A score is printed twice, a hair apart, to look bold: it stays what it is."""
    found = _digit(report, random, "total", "item")
    if found is None:
        return None
    old = set_at(report, found[0])
    more = [(found[0][0], replace(old, x=old.x + random.choice((0.0, 0.2, 0.35))))]
    return Mutant(sheets=redrawn(report, {}, more), told=report.told)


def day_first(report: PrintedReport, random: Random) -> Mutant | None:
    """The dates of a field are printed with the day first, which a day above 12 tells; they mean what they did."""
    name = random.choice(("authored_on", "birth_date"))
    changed: dict[Place, Lettering] = {}
    told_by_day = False
    for _, _, places in cells_of(report, name):
        for place in places:
            text = set_at(report, place).text
            for form in ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y"):
                try:
                    day = datetime.strptime(text, form)  # noqa: DTZ007 - dates on paper have no zone
                except ValueError:
                    continue
                told_by_day = told_by_day or day.day > 12
                swapped = form.replace("%m", "%_").replace("%d", "%m").replace("%_", "%d")
                changed[place] = saying(report, place, day.strftime(swapped))
                break
    return Mutant(sheets=redrawn(report, changed), told=report.told) if told_by_day else None
