"""Which given names people are called by, and which full names these stand for.

English ones come from the package `nicknames`. It knows no Spanish ones, which many patients of American clinics bear;
those here are the common hypocoristics of Spanish (Wikipedia, "Hypocorism", section Spanish, and Wiktionary's category
"Spanish diminutives of given names").
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from nicknames import NickNamer

_ENGLISH: Final = NickNamer()
_SPANISH_CALLED: Final = """
alberto:beto alejandra:ale,jandra alejandro:alex,jandro antonia:toni,tona antonio:tono,toni beatriz:bea carlos:carlitos
carmen:carmela carolina:caro catalina:cata concepcion:concha,conchita,conchi consuelo:chelo cristina:cris daniel:dani
dolores:lola,loli eduardo:lalo,edu elena:nena enrique:quique,kike ernesto:neto esperanza:lanza estefania:fani
felipe:pipe fernanda:fer,nanda fernando:nando,fer francisca:paca,paqui francisco:paco,pancho,frank,cisco
gabriela:gabi,gaby gilberto:beto gonzalo:chalo graciela:chela gregorio:goyo guadalupe:lupe,lupita guillermo:memo,guille
gustavo:tavo humberto:beto ignacio:nacho isabel:isa,chabela jesus:chuy,chucho,suso jorge:coque jose:pepe,chepe,joe
josefa:pepa josefina:pepita,josie,fina juan:juanito,juancho juana:juanita leonardo:leo leticia:leti,lety lorenzo:lencho
luis:lucho,luisito luisa:lucha manuel:manolo,manny,manu manuela:manola margarita:rita,mago maria:mari,marita
mariana:nana mercedes:meche,merche miguel:migue,mike montserrat:montse norberto:beto pablo:pablito patricia:pati,paty
pedro:perico,pete rafael:rafa ramon:moncho raul:rulo refugio:cuca ricardo:rico,ricky roberto:beto,bobby rodolfo:fito
rogelio:roger rosario:charo,chayo salvador:chava,salva santiago:santi,chago sebastian:sebas socorro:coco sofia:sofi
susana:susi teresa:tere,teresita tomas:tomasito valentina:vale veronica:vero,vera victoria:vicky yolanda:yoli
"""


def _spanish() -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    called: dict[str, frozenset[str]] = {}
    full: dict[str, frozenset[str]] = {}
    for entry in _SPANISH_CALLED.split():
        name, _, short = entry.partition(":")
        called[name] = frozenset(short.split(","))
        for each in called[name]:
            full[each] = full.get(each, frozenset()) | {name}
    return called, full


_CALLED, _FULL = _spanish()
_NONE: Final[frozenset[str]] = frozenset()


@lru_cache(maxsize=16_384)
def called(name: str) -> frozenset[str]:
    """Names somebody of this given name may be called by, and full names it may stand for; normalised."""
    return frozenset(_ENGLISH.nicknames_of(name)) | _CALLED.get(name, _NONE) | full_names(name)


@lru_cache(maxsize=16_384)
def full_names(name: str) -> frozenset[str]:
    """Full given names that this one may stand for; normalised."""
    return frozenset(_ENGLISH.canonicals_of(name)) | _FULL.get(name, _NONE)
