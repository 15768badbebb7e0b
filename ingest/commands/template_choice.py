"""Which template, which file and which settings a template command works with."""

from __future__ import annotations

from pathlib import Path

from ingest.settings import ReadingSettings, SiteSettings, find_config, load_settings
from ingest.template_folder import load_template
from parsers.template import Template
from records.errors import DocumentError, SettingsError, TemplateError


def chosen_template(named: str, config: Path | None) -> Template:
    """The template a file holds, or the published revision an "ID[@REV]" names; without REV the highest.

    Raises:
        TemplateError: There is neither such a file nor such a revision.
    """
    path = Path(named)
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return load_template(path).template
    template_id, _, revision = named.partition("@")
    folder = load_settings(find_config(config)).templates_folder / template_id
    found = {file.stem: file for file in folder.glob("*.yaml") if file.stem.isdecimal()}
    wanted = revision or max(found, key=int, default="")
    if wanted not in found:
        raise TemplateError(f"{named}: no such file or published template.", next_step="Run: scorebridge template list")
    return load_template(found[wanted]).template


def reading_settings(config: Path | None, site: str) -> tuple[ReadingSettings, SiteSettings]:
    """The reading limits and the site's settings; defaults where there is no settings file and none was named."""
    try:
        settings = load_settings(find_config(config))
    except SettingsError:
        if config is not None:
            raise
        return ReadingSettings(), SiteSettings(id=site or "-")
    return settings.reading, settings.site_settings(site or "-")


def content_of(path: Path) -> bytes:
    """The bytes of a file somebody named.

    Raises:
        DocumentError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}.", next_step="Check the path.") from None
