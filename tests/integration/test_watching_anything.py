"""Whatever happens in a folder, in any order: each content that lies there whole is one report that is no duplicate."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from watched_folder import pdf, watched

from store.reports import ReportState

NAMES = st.sampled_from(["a.pdf", "B.PDF", "c d.pdf", "é.pdf", "e.csv"])
CONTENTS = st.sampled_from([pdf(text, size=60) for text in ("one", "two", "three", "four")])


class AnyFolder(RuleBasedStateMachine):
    """Files are printed, cut off, completed, renamed, moved in, touched, removed; the service restarts now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        place = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.folder = watched(place, incomplete_after_minutes=1.0)
        self.stack.enter_context(self.folder.database)
        self.outside = place / "outside"
        self.outside.mkdir()
        self.taken: set[bytes] = set()

    @rule(name=NAMES, content=CONTENTS)
    def is_printed(self, name: str, content: bytes) -> None:
        self.folder.drop(name, content)

    @rule(name=NAMES, content=CONTENTS, share=st.integers(0, 9))
    def is_cut_off(self, name: str, content: bytes, share: int) -> None:
        self.folder.drop(name, content[: len(content) * share // 10])

    @rule(name=NAMES, content=CONTENTS)
    def is_moved_in(self, name: str, content: bytes) -> None:
        path = self.outside / name
        path.write_bytes(content)
        path.replace(self.folder.folder / name)

    @rule(old=NAMES, new=NAMES)
    def is_renamed(self, old: str, new: str) -> None:
        path = self.folder.folder / old
        if path.exists():
            path.replace(self.folder.folder / new)

    @rule(name=NAMES)
    def is_touched(self, name: str) -> None:
        path = self.folder.folder / name
        if path.exists():
            path.touch()

    @rule(name=NAMES)
    def is_removed(self, name: str) -> None:
        (self.folder.folder / name).unlink(missing_ok=True)

    @rule()
    def restarts(self) -> None:
        self.folder.restart()

    @rule(seconds=st.sampled_from([0.5, 2.1, 70.0]))
    def is_scanned(self, seconds: float) -> None:
        self.folder.scan(after=seconds)

    @rule()
    def comes_to_rest(self) -> None:
        self.folder.settle()
        lying = {path.read_bytes() for path in self.folder.folder.iterdir() if path.suffix.lower() == ".pdf"}
        whole = {content for content in lying if content.endswith(b"%%EOF\n")}
        taken = [self.folder.kept(r) for r in self.folder.reports(ReportState.WAITING)]
        assert whole <= set(taken), "a whole file was not taken"

    @invariant()
    def no_content_is_taken_twice(self) -> None:
        digests = [r.sha256 for r in self.folder.reports(ReportState.WAITING)]
        assert len(digests) == len(set(digests))

    @invariant()
    def no_pdf_is_taken_before_it_is_whole(self) -> None:
        for report in self.folder.reports(ReportState.WAITING):
            assert report.file_name == "e.csv" or self.folder.kept(report).endswith(b"%%EOF\n")

    @invariant()
    def nothing_that_was_taken_is_forgotten(self) -> None:
        now = {r.sha256.encode() for r in self.folder.reports(ReportState.WAITING)}
        assert self.taken <= now
        self.taken = now

    def teardown(self) -> None:
        self.stack.close()


TestAnyFolder = AnyFolder.TestCase
TestAnyFolder.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
