"""Write `matching/given_names.py` from the given names of the 1990 census of the United States.

The lists dist.female.first and dist.male.first of the Census Bureau (public domain, https://www.census.gov/topics/
population/genealogy/data/1990_census/1990_census_namefiles.html) hold a name, its share in percent, the running sum and
its rank on each line. Give their paths: `python -m tools.given_names dist.female.first dist.male.first`.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

_TARGET = Path(__file__).parent.parent / "matching" / "given_names.py"
_TEXT = '''"""Given names that people bear, of the 1990 census of the United States; made by `tools/given_names.py`."""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
{names}
"""

GIVEN_NAMES: Final = frozenset(_NAMES.split())
'''


def main() -> None:
    """Write the module."""
    names = {line.split()[0].lower() for path in sys.argv[1:] for line in Path(path).read_text("ascii").splitlines()}
    wrapped = textwrap.fill(" ".join(sorted(name for name in names if len(name) > 1)), width=120)
    _TARGET.write_text(_TEXT.format(names=wrapped), "ascii")


if __name__ == "__main__":
    main()
