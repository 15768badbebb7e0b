"""A sketch of a layout with a group of labelled values for each record: cards, several to a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from parsers.drafting.fields import Certainty, Guess, guess_fields
from parsers.drafting.headings import find_table, lists_people
from parsers.drafting.items import severity_below
from parsers.drafting.labels import find_labelled, texts_beside
from parsers.drafting.text import Sketch
from parsers.lines import folded
from parsers.template_parts import Field, Place
from records.document import Document
from records.errors import TemplateError

_FEWEST_CARDS = 6  # to say that the headings of cards repeat
_HEADING = re.compile(r"[^\d:]+")


def sketch_blocks(sketch: Sketch, documents: Sequence[Document]) -> None:
    """Make `sketch` one of this layout.

    Raises:
        TemplateError: No label has a score.
    """
    labelled = find_labelled(documents, above=None)
    guesses = guess_fields(list(zip(labelled.labels, labelled.values, strict=True)))
    guesses = tuple(sorted(guesses, key=lambda guess: guess.heading != labelled.first))
    placed = tuple(replace(guess, place=labelled.place) for guess in guesses)
    sketch.blocks = (*placed, *severity_below(documents, placed), *_above_cards(documents, placed))
    if not any(guess.field is Field.TOTAL for guess in sketch.blocks):
        if lists_people(find_table(documents[0])):
            raise unnamed()
        raise TemplateError(
            "No table heading and no labels with a score were recognised on the first page.",
            next_step="Write the template by hand from the nearest form; “template explain” shows what it finds.",
        )


def _above_cards(documents: Sequence[Document], guesses: Sequence[Guess]) -> tuple[Guess, ...]:
    """The heading of every card, such as a clinician's name: printed and not used, where the card names its patient.

    A few names come again and again over many cards; what differs from card to card may be the patient's.
    """
    if not guesses or not {guess.field for guess in guesses} >= {Field.NAME, Field.MRN}:
        return ()
    texts = texts_beside(documents, guesses[0].heading, Place.ABOVE)
    filled = [text for text in texts if text]
    often = len(filled) >= _FEWEST_CARDS and len(filled) >= 0.9 * len(texts) and len(set(filled)) <= 0.5 * len(filled)
    named = all(_HEADING.fullmatch(text) for text in filled)
    people = {folded(value) for guess in guesses if guess.field is Field.NAME for value in guess.values}
    if not often or not named or people & {folded(text) for text in filled}:
        return ()
    why = "stands above every card, a few texts again and again"
    return (
        Guess(
            heading=guesses[0].heading, values=(), field=Field.IGNORE, certainty=Certainty.LIKELY, place=Place.ABOVE,
            why=why,
        ),
    )  # fmt: skip


def unnamed() -> TemplateError:
    """Scores were recognised, and nothing says of which questionnaire they are."""
    return TemplateError(
        "Nothing in the sample says which questionnaire the scores belong to.",
        next_step="Write the template by hand and give the score column its instrument.",
    )
