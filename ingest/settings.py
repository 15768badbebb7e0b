"""One settings file for the whole service, every fault of it listed at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date, time
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ingest.roster_columns import FIELDS, RosterLayout
from ingest.roster_dates import is_date_format
from portal.alert_settings import AlertSettings
from portal.letter_settings import LetterSettings
from portal.settings import DestinationSettings, PatientSearchSettings
from records.errors import SettingsError
from records.human_name import NameOrder
from review.settings import WebSettings
from store.roster import USUAL_IDENTITY_SHARE
from store.roster_diff import RosterLimits
from store.settings import StoreSettings

CONFIG_NAME = "scorebridge.toml"
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SiteSettings(_Section):
    """One clinic.

    Attributes:
        id: As in the roster's clinic column.
        time_zone: IANA name; "today" and the day's balance are local to it.
        roster: CSV file that is imported whenever it changes, or None if rosters come from elsewhere.
        roster_columns: Field to the header it stands under in the file, "" for a field not to be taken from it; wins
            over what the words of the headers say.
        roster_date_format: `strptime` format of the file's dates; None to tell it from the dates.
        roster_name_order: How a name of one column is read where it has no comma.
        roster_active_words: Further words of the status column that mean an active patient.
        roster_fhir: A FHIR server that is asked for the patients instead of a file.
        roster_every_minutes: How often it is asked.
        roster_max_age_hours: An older roster confirms nobody by itself.
        roster_max_removed_share: A new roster that lacks more of the old one's patients, or makes more of the active
            ones inactive, is refused.
        roster_max_identity_share: A new roster that changes the name, birth date or record number of more of them is
            refused.
        roster_history_days: How long what rosters changed is kept.
        threshold: Least probability of a certain match at this site, or None for that of `[matching]`.
        closed_on: Days on which no report is expected, such as holidays.
        letter_at: Local time of the letter about the day, or None for that of `[letter]`.
    """

    id: str = Field(min_length=1)
    time_zone: str = "UTC"
    roster: Path | None = None
    roster_columns: Mapping[str, str] = {}
    roster_date_format: str | None = None
    roster_name_order: NameOrder = "auto"
    roster_active_words: tuple[str, ...] = ()
    roster_fhir: PatientSearchSettings | None = None
    roster_every_minutes: float = Field(default=60.0, ge=1)
    roster_max_age_hours: float = Field(default=7 * 24, gt=0)
    roster_max_removed_share: float = Field(default=0.1, ge=0, le=1)
    roster_max_identity_share: float = Field(default=USUAL_IDENTITY_SHARE, ge=0, le=1)
    roster_history_days: int = Field(default=730, ge=1)
    threshold: float | None = Field(default=None, gt=0.5, lt=1)
    closed_on: tuple[date, ...] = ()
    letter_at: time | None = None

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone is called {name}") from None
        return name

    @field_validator("roster_columns")
    @classmethod
    def _known_fields(cls, columns: Mapping[str, str]) -> Mapping[str, str]:
        unknown = sorted(columns.keys() - set(FIELDS))
        if unknown:
            raise ValueError(f"there is no field {', '.join(unknown)}; fields are {', '.join(FIELDS)}")
        return columns

    @field_validator("roster_date_format")
    @classmethod
    def _whole_date(cls, form: str | None) -> str | None:
        if form is not None and not is_date_format(form):
            raise ValueError("a date format names day, month and year, such as %d/%m/%Y")
        return form

    @model_validator(mode="after")
    def _one_source(self) -> SiteSettings:
        if self.roster is not None and self.roster_fhir is not None:
            raise ValueError("roster and roster_fhir exclude each other")
        return self

    @property
    def roster_layout(self) -> RosterLayout:
        """What is set about the roster's file."""
        return RosterLayout(
            columns=self.roster_columns,
            date_format=self.roster_date_format,
            name_order=self.roster_name_order,
            active_words=self.roster_active_words,
        )

    @property
    def roster_limits(self) -> RosterLimits:
        """How much one import may change."""
        return RosterLimits(removed_share=self.roster_max_removed_share, identity_share=self.roster_max_identity_share)

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone)


class SourceSettings(_Section):
    """One watched folder.

    Attributes:
        site: Whose reports are printed into it.
        folder: The folder; it may be read-only, and it may vanish and come back.
        patterns: File names that are taken, in any letter case.
        quiet_seconds: A file is taken when it has not changed for this long.
        poll_seconds: Longest time between two scans, in seconds.
        watch: "events" wakes a scan at once, "poll" does without, "auto" polls network folders.
        expected_by: Local time by which a report of the day should have come; None for no notice.
        expected_days: Weekdays on which one is expected, such as "mon"; all of them unless set.
        after: What happens to a file once it is safely kept: "leave", "move:<folder>" or "delete".
        incomplete_after_minutes: How long a half-written file may stay so.
        start_from: Files last written before this day wait for `backlog process`; None: the day of `init`.
        threshold: Least probability of a certain match for prints of this source, or None for that of its site.
    """

    site: str
    folder: Path
    patterns: tuple[str, ...] = ("*.pdf", "*.csv")
    quiet_seconds: float = Field(default=2.0, ge=0, le=3600)
    poll_seconds: float = Field(default=30.0, gt=0, le=3600)
    watch: Literal["auto", "events", "poll"] = "auto"
    expected_by: time | None = None
    expected_days: tuple[Weekday, ...] = Field(default=WEEKDAYS, min_length=1)
    after: str = "leave"
    incomplete_after_minutes: float = Field(default=10.0, gt=0)
    start_from: date | None = None
    threshold: float | None = Field(default=None, gt=0.5, lt=1)

    @field_validator("after")
    @classmethod
    def _known(cls, after: str) -> str:
        if after in ("leave", "delete") or (after.startswith("move:") and after[5:].strip()):
            return after
        raise ValueError("after is leave, delete or move:<folder>")

    @property
    def name(self) -> str:
        """What the store calls this source."""
        return f"{self.site}:{self.folder}"

    @property
    def move_to(self) -> Path | None:
        """The folder files are moved into, or None."""
        return Path(self.after[5:].strip()) if self.after.startswith("move:") else None


class MatchingSettings(_Section):
    """How sure a match must be to need no person, and how much of it is checked.

    Attributes:
        threshold: Least probability of a certain match, where neither site nor source sets its own.
        alias_unused_months: An alias that was not used for so long no longer confirms.
        blind_audit_share: Part of the automatic matches that a person checks blindly; 0 for the least number only.
        blind_audit_per_week: Least number checked of each week's automatic matches; 0 for the share only.
    """

    threshold: float = Field(default=0.999, gt=0.5, lt=1)
    alias_unused_months: int = Field(default=12, ge=1, le=120)
    blind_audit_share: float = Field(default=0.01, ge=0, le=1)
    blind_audit_per_week: int = Field(default=30, ge=0, le=10_000)


# Measured: 13 to 18 s of one processor a page, 1.6 GB of address space with everything else that is loaded.
_OCR_PAGE_SECONDS, _OCR_MEMORY_MB = 20, 2048


class ReadingSettings(_Section):
    """How untrusted files are read.

    Attributes:
        workers: Reading processes.
        timeout_seconds: Longest reading of one file.
        memory_mb: Address space of a reading process; the libraries alone need some 600 MB of it.
        max_file_mb: Larger files are quarantined unread.
        max_pages: Files with more pages are quarantined.
        ocr_pages: How many pages without text are read by text recognition in each file; needs the extra "ocr".
    """

    workers: int = Field(default=2, ge=1, le=64)
    timeout_seconds: float = Field(default=120.0, gt=0)
    memory_mb: int = Field(default=2048, ge=512)
    max_file_mb: float = Field(default=64.0, gt=0)
    max_pages: int = Field(default=500, ge=1)
    ocr_pages: int = Field(default=0, ge=0, le=100)

    @field_validator("ocr_pages")
    @classmethod
    def _installed(cls, pages: int) -> int:
        if pages and not (find_spec("rapidocr") and find_spec("onnxruntime")):
            raise ValueError("text recognition is not installed: pip install 'scorebridge[ocr]', or set it to 0")
        return pages

    @model_validator(mode="after")
    def _leaves_room(self) -> ReadingSettings:
        if self.ocr_pages and (
            self.memory_mb < _OCR_MEMORY_MB or self.timeout_seconds < self.ocr_pages * _OCR_PAGE_SECONDS
        ):
            raise ValueError(
                f"text recognition needs memory_mb of {_OCR_MEMORY_MB} or more and timeout_seconds of "
                f"{_OCR_PAGE_SECONDS} or more a page"
            )
        return self


class Settings(BaseSettings):
    """Everything that can be set, from `scorebridge.toml` and `SCOREBRIDGE_…` variables (which win).

    Attributes:
        home: Database, archive, templates and, unless set otherwise, the key file.
        templates: Folder of published templates, or None for `home/templates`.
        letter: Who gets a mail about each day, or None for nobody.
        alerts: Where critical answers are told; "none" is a decision, a missing section is a fault of `run`.
    """

    model_config = SettingsConfigDict(
        env_prefix="SCOREBRIDGE_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    home: Path
    database_url: SecretStr | None = None
    key_file: Path | None = None
    templates: Path | None = None
    site: tuple[SiteSettings, ...] = ()
    source: tuple[SourceSettings, ...] = ()
    destination: tuple[DestinationSettings, ...] = ()
    matching: MatchingSettings = MatchingSettings()
    reading: ReadingSettings = ReadingSettings()
    web: WebSettings = WebSettings()
    letter: LetterSettings | None = None
    alerts: AlertSettings | Literal["none"] | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file, whose values are given as arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        sites = [site.id for site in self.site]
        faults = [f"site {name} is set twice" for name in sorted({s for s in sites if sites.count(s) > 1})]
        faults += [f"source {s.folder}: no [[site]] has the id {s.site}" for s in self.source if s.site not in sites]
        folders = [source.folder.absolute() for source in self.source]
        faults += [f"two sources watch {f}" for f in sorted({f for f in folders if folders.count(f) > 1})]
        for source in self.source:
            inside = source.move_to
            if inside is not None and inside.absolute() in folders:
                faults.append(f"source {source.folder}: files would be moved into a watched folder")
        ids = [d.destination_id for d in self.destination]
        faults += [f"destination {name} is set twice" for name in sorted({d for d in ids if ids.count(d) > 1})]
        if isinstance(self.alerts, AlertSettings):
            named = [one.fhir.patients_of for one in self.alerts.channels if one.fhir and one.fhir.patients_of]
            faults += [f"alerts: no [[destination]] has the id {name}" for name in named if name not in ids]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def store(self) -> StoreSettings:
        """The store's part."""
        return StoreSettings(home=self.home, database_url=self.database_url, key_file=self.key_file)

    @property
    def templates_folder(self) -> Path:
        """Where published templates are."""
        return self.templates or self.home / "templates"

    def site_settings(self, site: str) -> SiteSettings:
        """The settings of a site; defaults for a site that is not set."""
        return next((s for s in self.site if s.id == site), SiteSettings(id=site))

    def threshold_of(self, site: str, source: str | None) -> float:
        """The least probability of a certain match: the source's own, else the site's, else that of `[matching]`."""
        of_source = next((s.threshold for s in self.source if s.name == source and s.site == site), None)
        own = self.site_settings(site).threshold if of_source is None else of_source
        return self.matching.threshold if own is None else own


def find_config(given: Path | None) -> Path:
    """The settings file: the one given, `$SCOREBRIDGE_CONFIG`, or `scorebridge.toml` in the working folder.

    Raises:
        SettingsError: There is none.
    """
    named = given or (Path(os.environ["SCOREBRIDGE_CONFIG"]) if os.environ.get("SCOREBRIDGE_CONFIG") else None)
    path = named or Path(CONFIG_NAME)
    if not path.is_file():
        raise SettingsError(
            f"There is no settings file {path}.",
            next_step="Make one with “scorebridge init”, or name it with --config.",
        )
    return path


def load_settings(path: Path) -> Settings:
    """The settings of a file; relative paths in it start at its folder.

    Raises:
        SettingsError: The file is no TOML or holds faults; every fault is listed.
    """
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is no TOML: {error}.", next_step="Mend the file at that line.") from None
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read: {error.strerror}.", next_step="Check the path and its rights."
        ) from None
    try:
        return _rooted(Settings(**written), path.absolute().parent)
    except ValidationError as error:
        faults = [
            f"{path}: {'.'.join(str(part) for part in fault['loc']) or 'settings'}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(faults), next_step="Mend these settings and start again.") from None


def _rooted(settings: Settings, root: Path) -> Settings:
    """The settings with relative paths made absolute."""
    return settings.model_copy(
        update={
            "home": root / settings.home,
            "key_file": root / settings.key_file if settings.key_file else None,
            "templates": root / settings.templates if settings.templates else None,
            "site": tuple(s.model_copy(update={"roster": root / s.roster}) if s.roster else s for s in settings.site),
            "source": tuple(
                s.model_copy(
                    update={
                        "folder": root / s.folder,
                        "after": f"move:{root / s.move_to}" if s.move_to else s.after,
                    }
                )
                for s in settings.source
            ),
            "destination": tuple(
                d.model_copy(update={"file": str(root / d.file)}) if (root / d.file).is_file() else d
                for d in settings.destination
            ),
        }
    )
