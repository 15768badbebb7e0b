"""Names of nobody: a list of our own, and names made of syllables where a report needs more of one length."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_LISTED: Final = _words(
    """
    Ash Bex Cal Dov Elm Fenn Gale Hart Ines Juno Kip Lark Mott Nell Orla Pim Quin Reed Sol Tarn Ulf Vale Wren Yul Zell
    Abel Bramm Cobbe Darby Ember Flint Garth Hazel Ivory Joss Kestr Lorne Maple Nyman Ozark Petra Quill Rowan Sable
    Thorn Umber Vesper Willo Yarro Zephy Alder Birch Cedar Drake Fable Grove Heath Knoll Ledge Marsh Norse Olden
    Pebble Quarry Russet Sorrel Timber Upland Velvet Walnut Yonder Acorn Bramble Clover Dapple Fennel Garnet Hollow
    Juniper Kindle Lantern Meadow Nettle Orchard Pumpkin Quilter Ripple Saffron Thistle Umbrell Verbena Whistle
    Cobbler Dunmore Fairlea Glenham Harbour Inglesy Kelmoor Lowther Merrow Northam Oakmere Prestly Ravelin Selwick
    Tamsley Underby Vanbray Westray Yarwood Applegar Bellhaven Coldbrook Dovewing Elmstead Foxbourne Greyfield
    Hollybank Ironmere Kingsbrae Larkmoor Mossgrove Nightwell Otterburn Pinebridge Quietwater Rosenfell Stonehurst
    Thornwick Umberfield Vinehollow Willowmere Yellowbarn Ambersworth Brackenhurst Cloverfield Dandelshire
    Evergladen Featherbrook Goldenmarch Hawkesburrow Jasperstone Kestrelwood Lavenderham
    """
)
_FIRST: Final = _words("b d f g h j k l m n p r s t v w br cl dr fl gr kr pl st tr")
_VOWELS: Final = _words("a e i o u")
_LAST: Final = _words("l m n r s t d k ll nd rn st")


def fresh_names(random: Random, length: int) -> Iterator[str]:
    """Invented names of this many letters, two or more, without end: those of the list first, in drawn order."""
    listed = [name for name in _LISTED if len(name) == length]
    random.shuffle(listed)
    yield from listed
    while True:
        yield _made_of_syllables(random, length)


def _made_of_syllables(random: Random, length: int) -> str:
    sounds = itertools.cycle((_FIRST, _VOWELS, _LAST, _VOWELS)) if length > 3 else itertools.cycle((_FIRST, _VOWELS))
    text = ""
    for choices in sounds:
        if len(text) >= length:
            return text[:length].capitalize()
        text += random.choice(choices)
    raise AssertionError("the cycle has no end")
