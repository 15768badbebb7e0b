"""From YAML text to a `Template`, every fault at once with file, line and path."""

from __future__ import annotations

import yaml
from pydantic import TypeAdapter, ValidationError

from parsers.template import Template
from records.errors import TemplateError

_ADAPTER = TypeAdapter(Template)


def parse_template(text: str, *, source: str) -> Template:
    """The template written in `text`.

    Args:
        source: Name of the file, for messages.

    Raises:
        TemplateError: The text is no YAML or no template; the message lists every fault, a line each.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        written = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "is no YAML"
        raise TemplateError(f"{source}{line}: {problem}.", next_step="Mend the YAML at that line.") from None
    doubled = _doubled_keys(node, source)
    if not isinstance(written, dict):
        raise TemplateError(f"{source}:1: a template is a mapping.", next_step="Start with “id: …”.")
    try:
        template = _ADAPTER.validate_python(written)
    except ValidationError as error:
        faults = [_fault(fault["loc"], fault["msg"], node, source) for fault in error.errors()]
        raise TemplateError("\n".join([*doubled, *faults]), next_step="Mend these lines and try again.") from None
    if doubled:
        raise TemplateError("\n".join(doubled), next_step="Keep one of each and try again.")
    return template


def template_schema() -> dict[str, object]:
    """The JSON Schema of the template language, for editors."""
    return _ADAPTER.json_schema()


def _fault(path: tuple[int | str, ...], message: str, root: yaml.Node | None, source: str) -> str:
    line = _line_of(root, path)
    where = ".".join(str(part) for part in _as_written(root, path)) or "template"
    return f"{source}:{line}: {where}: {message.removeprefix('Value error, ')}"


def _as_written(node: yaml.Node | None, path: tuple[int | str, ...]) -> list[int | str]:
    """The path without the numbers of parts that are not written as a list."""
    whole: list[int | str] = []
    for part in path:
        if isinstance(part, int) and not isinstance(node, yaml.SequenceNode):
            continue
        whole.append(part)
        node = _child(node, part)
    return whole


def _child(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        child: yaml.Node = node.value[part]
        return child
    return None


def _line_of(node: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    line = 1
    for part in path:
        if isinstance(node, yaml.MappingNode) and isinstance(part, int):
            continue
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _doubled_keys(node: yaml.Node | None, source: str) -> list[str]:
    # YAML readers keep the last of two equal keys without a word; here the first half of a template would vanish.
    faults: list[str] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                faults.append(f"{source}:{key.start_mark.line + 1}: {key.value}: is given twice")
            seen.add(key.value)
            faults += _doubled_keys(value, source)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            faults += _doubled_keys(value, source)
    return faults
