"""The archive keeps documents exactly, and notices every change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import StoreError
from store.archive import Archive
from store.keys import Keys

MEBIBYTE = 1024 * 1024
KEYS = Keys(database=b"d" * 32, archive=b"a" * 32, audit=b"u" * 32, identifier=b"i" * 32, check=b"c" * 32)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    (tmp_path / "archive").mkdir()
    return Archive(tmp_path / "archive", KEYS)


def file_of(tmp_path: Path, document_id: str) -> Path:
    return tmp_path / "archive" / document_id[:2] / document_id


@pytest.mark.parametrize("size", [0, 1, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 2 * MEBIBYTE, 3 * MEBIBYTE + 17])
def test_a_document_of_any_size_comes_back(archive: Archive, size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    kept = archive.put(content[:size])
    assert kept.size == size
    assert archive.get(kept.document_id, kept.wrapped_key) == content[:size]


@given(content=st.binary(max_size=200), place=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_one_flipped_bit_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, place: int, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    archive = Archive(folder / "archive", KEYS)
    kept = archive.put(content)
    file = file_of(folder, kept.document_id)
    sealed = bytearray(file.read_bytes())
    sealed[place % len(sealed)] ^= 1 << bit
    file.write_bytes(bytes(sealed))
    with pytest.raises(StoreError):
        archive.get(kept.document_id, kept.wrapped_key)


@pytest.mark.parametrize("left", [0, 5, 27, MEBIBYTE + 27, 2 * MEBIBYTE + 43, -1])
def test_a_document_cut_off_anywhere_is_noticed(archive: Archive, tmp_path: Path, left: int) -> None:
    kept = archive.put(b"x" * (2 * MEBIBYTE + 500))
    file = file_of(tmp_path, kept.document_id)
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(StoreError, match="altered or cut off"):
        archive.get(kept.document_id, kept.wrapped_key)


def test_swapped_chunks_are_noticed(archive: Archive, tmp_path: Path) -> None:
    kept = archive.put(b"a" * MEBIBYTE + b"b" * MEBIBYTE + b"c")
    file = file_of(tmp_path, kept.document_id)
    sealed = file.read_bytes()
    head, step = 11, MEBIBYTE + 16
    first, second = sealed[head : head + step], sealed[head + step : head + 2 * step]
    file.write_bytes(sealed[:head] + second + first + sealed[head + 2 * step :])
    with pytest.raises(StoreError):
        archive.get(kept.document_id, kept.wrapped_key)


def test_two_documents_cannot_be_exchanged_even_with_their_keys(archive: Archive, tmp_path: Path) -> None:
    one, other = archive.put(b"one"), archive.put(b"other")
    file_of(tmp_path, one.document_id).write_bytes(file_of(tmp_path, other.document_id).read_bytes())
    with pytest.raises(StoreError):
        archive.get(one.document_id, other.wrapped_key)


def test_another_archive_key_opens_nothing(archive: Archive, tmp_path: Path) -> None:
    kept = archive.put(b"document")
    stranger = Keys(database=b"", archive=b"z" * 32, audit=b"", identifier=b"", check=b"")
    with pytest.raises(StoreError):
        Archive(tmp_path / "archive", stranger).get(kept.document_id, kept.wrapped_key)


def test_a_missing_document_is_named_by_its_id_only(archive: Archive) -> None:
    kept = archive.put(b"document")
    archive.forget(kept.document_id)
    archive.forget(kept.document_id)
    with pytest.raises(StoreError, match=kept.document_id):
        archive.get(kept.document_id, kept.wrapped_key)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a" * 31, "a/" + "b" * 30])
def test_an_id_cannot_lead_out_of_the_archive(archive: Archive, name: str) -> None:
    with pytest.raises(StoreError):
        archive.get(name, b"")


def test_the_sweep_takes_old_orphans_and_nothing_else(archive: Archive, tmp_path: Path) -> None:
    kept, orphan = archive.put(b"kept"), archive.put(b"orphan")
    torn = file_of(tmp_path, kept.document_id).with_name("f" * 32 + ".part")
    torn.write_bytes(b"half")
    now = datetime.now(UTC)
    assert archive.sweep([kept.document_id], older_than=now - timedelta(hours=1)) == ()
    swept = archive.sweep([kept.document_id], older_than=now + timedelta(hours=1))
    assert sorted(swept) == sorted([orphan.document_id, "f" * 32])
    assert archive.get(kept.document_id, kept.wrapped_key) == b"kept"
    assert not torn.exists()


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot take a document"):
        Archive(tmp_path / "archive", KEYS).put(b"document")
