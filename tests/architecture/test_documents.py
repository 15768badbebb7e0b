"""What the documents say of the program is so: links, commands, settings, reasons, picture."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import typer
from PIL import Image
from pydantic import BaseModel

from ingest.cli import application
from ingest.first_settings import write_first_settings
from ingest.settings import Settings, load_settings
from portal.access_settings import AccessSettings
from records.finding import REASONS
from tools import (
    api_reference,
    destination_reference,
    features_table,
    flow_picture,
    gates_table,
    page_pictures,
    reasons_table,
    template_reference,
    template_schema,
)

app = application()

ROOT = Path(__file__).parents[2]
DOCUMENTS = [path for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]) if path.is_file()]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def prose(path: Path) -> str:
    return CODE.sub("", path.read_text("utf-8"))


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Links to places of this repository: file ("" for the document itself) and anchor ("" for the whole file)."""
    for target in LINK.findall(prose(path)):
        if "://" not in target and not target.startswith("mailto:"):
            file, _, anchor = target.partition("#")
            yield file, anchor


def anchors(path: Path) -> set[str]:
    """Headings as links name them on the common forges, and anchors set by hand."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    named = {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
    return named | set(re.findall(r'id="([^"]+)"', text))


def commands() -> Iterator[str]:
    """Every command as it is typed, groups joined by a space."""
    for command in app.registered_commands:
        yield str(command.name)
    for group in app.registered_groups:
        inner = group.typer_instance
        assert isinstance(inner, typer.Typer)
        yield from (f"{group.name} {command.name}" for command in inner.registered_commands)


@cache
def options() -> dict[str, set[str]]:
    """The long options of every command."""
    found: dict[str, set[str]] = {}
    whole = typer.main.get_command(app)
    for name in commands():
        command = whole
        for word in name.split():
            command = getattr(command, "commands")[word]  # noqa: B009 - only groups have it
        spellings = (option for p in command.params for option in (*p.opts, *p.secondary_opts))
        found[name] = {"--help", *(option for option in spellings if option.startswith("--"))}
    return found


def calls(path: Path) -> Iterator[list[str]]:
    """The words after `scorebridge` wherever a document shows it as code, up to a comment, a pipe or the line's end."""
    for code in CODE.findall(path.read_text("utf-8")):
        for call in re.findall(r"\bscorebridge ([a-z][^\n`|&<>#]*)", code):
            yield call.split()


def settings_of(model: type[BaseModel], section: str = "") -> Iterator[tuple[str, str]]:
    """Section and name of everything that can be set, as they are written in the file."""
    for name, field in model.model_fields.items():
        if name in AccessSettings.model_fields and model is not AccessSettings and issubclass(model, AccessSettings):
            continue  # described once, as `[access]`
        written = field.alias or name
        inner = list(_models(field.annotation))
        if not inner or type(None) in get_args(field.annotation):
            yield section, written
        for part in inner:
            yield from settings_of(part, f"{section}.{written}".removeprefix("."))


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def first_cells(text: str) -> set[str]:
    """What stands in backquotes in the first column of tables."""
    rows = re.findall(r"^\| ([^|]+)\|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def described_settings() -> set[tuple[str, str]]:
    """Section and name of every setting in the reference. A section begins with its `[name]` at the start of a line."""
    found: set[tuple[str, str]] = set()
    section = ""
    for line in (ROOT / "docs/reference-settings.md").read_text("utf-8").splitlines():
        if heading := re.match(r"(?:## )?`\[+([a-z0-9._]+)\]+`", line):
            section = heading[1]
        found |= {(section, name) for name in first_cells(line)}
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for file, anchor in links(path):
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, to_do = set[Path](), [ROOT / "README.md"]
    while to_do:
        path = to_do.pop()
        if path in reached or path.suffix != ".md" or not path.is_file():
            continue
        reached.add(path)
        to_do += [(path.parent / file).resolve() for file, _ in links(path) if file]
    alone = [path.relative_to(ROOT) for path in DOCUMENTS if path not in reached and path.parent.name != "adr"]
    assert alone == []


def test_every_command_is_in_the_reference() -> None:
    known = {tuple(entry.split()[:2]) for entry in first_cells((ROOT / "docs/reference-cli.md").read_text("utf-8"))}
    starts = known | {words[:1] for words in known}
    assert [name for name in commands() if tuple(name.split()) not in starts] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_show_only_commands_and_options_that_are_there(path: Path) -> None:
    known = options()
    wrong = []
    for words in calls(path):
        name = next((n for n in (" ".join(words[:2]), words[0]) if n in known), None)
        if name is None:
            wrong.append(" ".join(words))
        else:
            given = {word.partition("=")[0] for word in words if word.startswith("--") and word != "--"}
            wrong += [f"{name} {option}" for option in given - known[name]]
    assert wrong == []


def test_every_setting_is_in_the_reference_and_nothing_else() -> None:
    assert described_settings() == {*settings_of(Settings), *settings_of(AccessSettings, "access")}


def test_the_settings_file_of_init_has_no_fault_and_starts_in_shadow(tmp_path: Path) -> None:
    write_first_settings(tmp_path / "scorebridge.toml")
    assert [d.mode for d in load_settings(tmp_path / "scorebridge.toml").destination] == ["shadow"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_toml_in_the_documents_can_be_read(path: Path) -> None:
    for block in re.findall(r"```toml\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
        assert tomllib.loads(block)


def test_the_tables_of_reasons_are_current() -> None:
    text = reasons_table.DOCUMENT.read_text("utf-8")
    assert reasons_table.document(text) == text
    assert all(f"`{code}`" in text for code in REASONS)


def test_the_picture_of_the_flow_is_current() -> None:
    assert flow_picture.PICTURE.read_text("utf-8") == flow_picture.picture()


def test_the_reference_of_the_template_language_is_current() -> None:
    assert template_reference.DOCUMENT.read_text("utf-8") == template_reference.page()


def test_the_reference_of_destination_files_is_current() -> None:
    assert destination_reference.DOCUMENT.read_text("utf-8") == destination_reference.page()


def test_the_reference_of_the_api_is_current() -> None:
    assert api_reference.DOCUMENT.read_text("utf-8") == api_reference.page()
    assert api_reference.DESCRIPTION.read_text("utf-8") == api_reference.openapi()


def test_the_schema_of_the_template_language_is_current() -> None:
    assert template_schema.DOCUMENT.read_text("utf-8") == template_schema.schema()


def test_the_table_of_features_is_current() -> None:
    assert features_table.DOCUMENT.read_text("utf-8") == features_table.page()


def test_the_table_of_gates_is_current_and_shows_every_reason_about_a_patient() -> None:
    text = gates_table.DOCUMENT.read_text("utf-8")
    assert gates_table.document(text) == text
    assert all(f"`{code}`" in text for code in reasons_table.groups()["patient"])


def test_the_pictures_of_the_pages_are_small_and_every_one_is_shown() -> None:
    pictures = sorted((ROOT / "docs/pictures").glob("*.png"))
    assert [one.stem for one in pictures] == sorted(page_pictures.NAMES)
    shown = "".join(one.read_text("utf-8") for one in [ROOT / "README.md", *(ROOT / "docs/how-to").glob("*.md")])
    for one in pictures:
        assert f"pictures/{one.name})" in shown, one.name
        with Image.open(one) as picture:
            assert picture.size == page_pictures.SIZE
        assert one.stat().st_size <= 150 * 1024


@pytest.mark.parametrize(
    "tool",
    [
        "tools.reasons_table",
        "tools.gates_table",
        "tools.flow_picture",
        "tools.template_reference",
        "tools.template_schema",
        "tools.features_table",
        "tools.api_reference",
    ],
)
def test_a_check_of_a_generated_document_changes_nothing_and_passes(tool: str) -> None:
    command = [sys.executable, "-m", tool, "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
