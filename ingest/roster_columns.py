"""Which column of a roster file is which field: by what the settings say, else by the words of its header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from records.errors import RosterError
from records.human_name import NameOrder

# What headers are called, folded to letters and digits; the first is ours.
_WORDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "patient_id": (
        "patientid", "portalid", "id", "personid", "patientidentifier", "patientkey", "externalid", "empi",
        "enterpriseid", "idpaciente", "idpatient", "identifiantpatient", "patientenid",
    ),
    "site": (
        "clinic", "site", "clinicid", "facility", "location", "practice", "clinica", "centro", "clinique",
        "etablissement", "klinik", "standort", "praxis",
    ),
    "mrn": (
        "mrn", "medicalrecordnumber", "medicalrecordno", "mrnumber", "mrno", "mrnnumber", "mrnno", "recordnumber",
        "chartnumber", "chartno", "chartid", "chart", "accountnumber", "acct", "acctno", "clientid", "clientnumber",
        "patientnumber", "patientno", "patientnr", "nhc", "numerohistoria", "historiaclinica", "expediente",
        "numeroexpediente", "numerodossier", "numerodedossier", "dossier", "ipp", "patientennummer", "patientennr",
        "aktennummer", "aktenzeichen", "ndossier", "ndedossier",
    ),
    "family": (
        "lastname", "family", "familyname", "surname", "last", "lname", "namelast", "apellido", "apellidos",
        "primerapellido", "apellidopaterno", "nomdefamille", "nachname", "familienname", "zuname",
    ),
    "second_family": ("secondlastname", "secondsurname", "segundoapellido", "apellidomaterno"),
    "given": (
        "firstname", "given", "givenname", "first", "forename", "fname", "namefirst", "nombres", "primernombre",
        "nombredepila", "prenom", "prenoms", "vorname", "vornamen",
    ),
    "middle": (
        "middlename", "middle", "middleinitial", "mi", "minit", "namemiddle", "segundonombre", "deuxiemeprenom",
        "autresprenoms", "zweitervorname", "weiterevornamen",
    ),
    "suffix": ("suffix", "namesuffix", "generation", "sufijo", "suffixe"),
    "preferred": (
        "preferredname", "preferred", "preferredfirstname", "nickname", "knownas", "goesby", "chosenname", "apodo",
        "nombrepreferido", "surnom", "prenomusuel", "rufname", "spitzname",
    ),
    "former_family": (
        "formerlastname", "formerlastnames", "maidenname", "maiden", "previouslastname", "previouslastnames",
        "formername", "formernames", "previousname", "previousnames", "birthname", "otherlastnames",
        "apellidodesoltera", "nomdejeunefille", "nomdenaissance", "geburtsname",
    ),
    "birth_date": (
        "dateofbirth", "dob", "birthdate", "born", "birthday", "fechadenacimiento", "fechanacimiento", "fecnacimiento",
        "nacimiento", "datedenaissance", "datenaissance", "naissance", "ddn", "geburtsdatum", "geburtstag", "geboren",
        "gebdatum", "gebdat",
    ),
    "sex": (
        "sex", "gender", "administrativegender", "administrativesex", "sexatbirth", "birthsex", "legalsex", "sexo",
        "genero", "sexe", "genre", "geschlecht",
    ),
    "phone": (
        "phone", "phonenumber", "mobile", "telephone", "mobilephone", "cellphone", "cell", "homephone", "primaryphone",
        "contactnumber", "tel", "telefono", "telefonomovil", "movil", "celular", "telephoneportable", "portable",
        "telefon", "telefonnummer", "handy", "mobil",
    ),
    "clinician": (
        "clinician", "provider", "therapist", "primaryprovider", "primaryclinician", "primarycareprovider", "doctor",
        "physician", "pcp", "attending", "assignedclinician", "renderingprovider", "medico", "terapeuta", "medecin",
        "medecintraitant", "therapeute", "arzt", "hausarzt", "behandler", "therapeut",
    ),
    "last_visit": (
        "lastvisit", "lastvisitdate", "dateoflastvisit", "lastseen", "lastappointment", "lastencounter", "lastdos",
        "ultimavisita", "fechaultimavisita", "ultimacita", "dernierevisite", "derniererendezvous", "letzterbesuch",
        "letztertermin",
    ),
    "active": (
        "status", "active", "patientstatus", "isactive", "activeflag", "estado", "estatus", "activo", "statut", "actif",
        "aktiv", "patientenstatus",
    ),
    "inactive": ("inactive", "isinactive", "inactiveflag", "archived", "inactivo", "inactif", "inaktiv"),
    "deceased": (
        "deceased", "isdeceased", "dateofdeath", "deathdate", "deceaseddate", "fallecido", "fechadefallecimiento",
        "decede", "datededeces", "verstorben", "todesdatum", "sterbedatum",
    ),
    "merged_into": (
        "mergedinto", "mergedto", "mergedintoid", "mergedintopatientid", "mergedintomrn", "survivor", "survivingid",
        "survivingpatientid", "survivingmrn", "replacedby", "supersededby", "fusionadocon", "fusionneavec",
        "zusammengefuhrtmit", "zusammengefuehrtmit",
    ),
    "name": (
        "name", "patientname", "fullname", "displayname", "clientname", "patient", "client", "lastfirst",
        "lastnamefirstname", "namelastfirst", "nom", "nomcomplet", "nometprenom", "nomprenom", "nombre",
        "nombrecompleto", "nombreyapellidos", "apellidosynombre", "apellidosynombres", "paciente", "namevorname",
        "vollername", "patientenname",
    ),
}  # fmt: skip
_FIELD_OF: Final = {wording: name for name, wordings in _WORDINGS.items() for wording in wordings}
# "Name" is the family name beside "Vorname", "Nom" beside "Prénom", "Nombre" the given name beside "Apellidos".
_FAMILY_BESIDE_GIVEN: Final = frozenset({"name", "nom"})
_GIVEN_BESIDE_FAMILY: Final = frozenset({"nombre"})
_FAMILY_FIRST: Final = frozenset({
    "lastfirst", "lastnamefirstname", "namelastfirst", "nometprenom", "nomprenom", "apellidosynombre",
    "apellidosynombres", "namevorname",
})  # fmt: skip
_OF_A_PATIENT: Final = re.compile(r"(?:patient|pt|client|person|legal|paciente)(?=.)")
_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")

FIELDS: Final = tuple(_WORDINGS)
"""Every field that a column can be."""

COSTS: Final[Mapping[str, str]] = {
    "mrn": "prints are matched by name and birth date alone; twins and namesakes wait for a person",
    "birth_date": "nobody is confirmed by name and birth date, only by record number and name",
    "sex": "nothing tells a namesake of the other sex apart",
    "middle": "middle names and initials support nobody",
    "suffix": "Jr and Sr are told apart by birth date and record number only",
    "preferred": "called names count only where they are common short forms",
    "former_family": "prints under a former name wait for a person",
    "phone": "a printed phone number supports nobody",
    "clinician": "a printed clinician supports nobody",
    "last_visit": "a printed visit date supports nobody",
    "active": "everybody counts as active: nobody who left, died or was merged is held back",
    "merged_into": "nothing tells a merged record from the one that replaced it",
}
"""What it costs matching when the file has no such column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLayout:
    """What a clinic says about its own roster file.

    Attributes:
        columns: Field to the header it stands under; "" for a field that is not taken from the file.
        date_format: `strptime` format of all dates, or None to tell it from the dates themselves.
        name_order: How a name of one column is read where it has no comma.
        active_words: Further words of the status column that mean an active patient.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    name_order: NameOrder = "auto"
    active_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterColumns:
    """A header understood.

    Attributes:
        places: Field to the index of its column.
        headers: Field to its header, as written.
        ignored: Headers that are not used.
        name_order: As the header of the one name column says ("Last, First"), else as the layout does.
    """

    places: Mapping[str, int]
    headers: Mapping[str, str]
    ignored: tuple[str, ...]
    name_order: NameOrder

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that matching could use and the file does not have."""
        return tuple(name for name in COSTS if name not in self.places and not self._covered(name))

    def _covered(self, name: str) -> bool:
        in_the_name = name in ("middle", "suffix") and "name" in self.places
        return in_the_name or (name == "active" and bool({"inactive", "deceased"} & self.places.keys()))

    @property
    def lacking(self) -> tuple[str, ...]:
        """Fields without which a file is no roster."""
        has_name = "name" in self.places or {"family", "given"} <= self.places.keys()
        named = () if has_name else tuple(name for name in ("family", "given") if name not in self.places)
        return (() if "patient_id" in self.places else ("patient_id",)) + named


def fold(header: str) -> str:
    """A header reduced to plain lower-case letters and digits: "N° de dossier" to "ndedossier"."""
    plain = unicodedata.normalize("NFKD", header.replace("ß", "ss")).casefold()
    return "".join(sign for sign in plain if sign.isalnum() and sign.isascii())


def understand(header: Sequence[str], layout: RosterLayout) -> RosterColumns:
    """The columns of a header; needed ones may be missing.

    Raises:
        RosterError: The settings name a header that is not there, or two headers could be one field. Only headers
            that the settings or our own words know are repeated: a file without a header begins with a patient.
    """
    places = _stated(header, layout)
    guesses: dict[str, list[int]] = {}
    for at, cell in enumerate(header):
        name = None if at in places.values() else _guess(cell)
        if name is not None and name not in layout.columns:
            guesses.setdefault(name, []).append(at)
    _settle_bare_name(header, places, guesses)
    _refuse_two(header, guesses)
    places |= {name: found[0] for name, found in guesses.items()}
    return RosterColumns(
        places={name: places[name] for name in FIELDS if name in places},
        headers={name: header[places[name]] for name in FIELDS if name in places},
        ignored=tuple(cell for at, cell in enumerate(header) if at not in places.values() and cell),
        name_order=_name_order(header, places, layout),
    )


def guess_each(header: Sequence[str]) -> tuple[str | None, ...]:
    """What the words of each header say, without a look at the others; None for words that nobody knows."""
    return tuple(_guess(cell) for cell in header)


def _stated(header: Sequence[str], layout: RosterLayout) -> dict[str, int]:
    folded = [fold(cell) for cell in header]
    places: dict[str, int] = {}
    for name, wanted in layout.columns.items():
        if not wanted:
            continue
        exact = [at for at, cell in enumerate(header) if cell == " ".join(wanted.split())]
        found = exact or [at for at, cell in enumerate(folded) if cell == fold(wanted)]
        if len(found) != 1:
            how_many = "no column" if not found else f"{len(found)} columns"
            raise RosterError(
                f"It has {how_many} “{wanted}”, which the settings or a person name for {name}.",
                next_step="Choose its columns on the page of the site's list, correct roster_columns of this site, or "
                "export the roster as before.",
            )
        places[name] = found[0]
    return places


def _guess(cell: str) -> str | None:
    for text in (cell, _BRACKETS.sub(" ", cell)):
        folded = fold(text)
        known = _FIELD_OF.get(folded) or _FIELD_OF.get(_OF_A_PATIENT.sub("", folded, count=1))
        # An id of something else ("Legal ID") is nobody's id at the portal.
        if known is not None and (known != "patient_id" or folded in _FIELD_OF):
            return known
    return None


def _settle_bare_name(header: Sequence[str], places: Mapping[str, int], guesses: dict[str, list[int]]) -> None:
    """A "name" beside the other part of it is one part; beside both parts it says nothing new."""
    known = places.keys() | guesses.keys()
    if "name" not in guesses:
        return
    bare = {fold(_BRACKETS.sub(" ", header[at])) for at in guesses["name"]}
    if {"family", "given"} <= known:
        del guesses["name"]
    elif len(guesses["name"]) == 1 and "given" in known and bare <= _FAMILY_BESIDE_GIVEN:
        guesses["family"] = guesses.pop("name")
    elif len(guesses["name"]) == 1 and "family" in known and bare <= _GIVEN_BESIDE_FAMILY:
        guesses["given"] = guesses.pop("name")


def _refuse_two(header: Sequence[str], guesses: Mapping[str, list[int]]) -> None:
    doubled = {name: found for name, found in guesses.items() if len(found) > 1}
    if not doubled:
        return
    told = "; ".join(
        f"{name} could be " + " or ".join(f"“{header[at]}” (column {at + 1})" for at in found)
        for name, found in doubled.items()
    )
    stated = ", ".join(f'{name} = "{header[found[0]]}"' for name, found in doubled.items())
    raise RosterError(
        f"Its header can be understood in two ways: {told}.",
        next_step=f'Say which, for instance roster_columns = {{ {stated} }} in [[site]]; "" for neither.',
    )


def _name_order(header: Sequence[str], places: Mapping[str, int], layout: RosterLayout) -> NameOrder:
    if layout.name_order != "auto" or "name" not in places:
        return layout.name_order
    folded = _OF_A_PATIENT.sub("", fold(header[places["name"]]), count=1)
    return "family-first" if folded in _FAMILY_FIRST else "auto"
