"""Fetch the files of other projects that the pages carry: `python -m tools.vendor`.

Each comes out of its npm package and must have the hash that `tools/vendor.toml` names. Neither running nor testing
needs npm: the files are part of the project.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

LIST = Path(__file__).with_name("vendor.toml")
STATIC = Path(__file__).parent.parent / "review" / "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendored:
    """One file of another project.

    Attributes:
        package: npm name; `version` is exact.
        path: The file inside the package's archive; the same for `licence`.
        name: Its name in `review/static/`; the same for `licence_name`.
        sha256: Of the file's bytes, in hexadecimal digits.
    """

    package: str
    version: str
    path: str
    name: str
    licence: str
    licence_name: str
    sha256: str


def vendored() -> tuple[Vendored, ...]:
    """What is listed."""
    return tuple(Vendored(**one) for one in tomllib.loads(LIST.read_text("utf-8"))["file"])


def main() -> int:
    """Fetch every file; 1 if one is not what the list says."""
    faults = [fault for one in vendored() for fault in _fetch(one)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _fetch(one: Vendored) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{one.package}@{one.version}", "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            content, licence = _member(archive, one.path), _member(archive, one.licence)
    found = sha256(content).hexdigest()
    if found != one.sha256:
        yield f"{one.name}: the package has {found}, {LIST.name} says {one.sha256 or 'nothing'}."
        return
    (STATIC / one.name).write_bytes(content)
    (STATIC / one.licence_name).write_bytes(licence)


def _member(archive: tarfile.TarFile, path: str) -> bytes:
    file = archive.extractfile(path)
    if file is None:
        raise FileNotFoundError(path)
    return file.read()


if __name__ == "__main__":
    raise SystemExit(main())
