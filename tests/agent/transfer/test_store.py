"""The encrypted copy: nothing readable; what was changed, cut off or moved is never taken for what was written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.transfer import sealed, store
from agent.transfer.items import Items, beside, excluded, shown
from agent.transfer.phone import Found
from agent.transfer.sealed import RECORD_BYTES, CopyDamaged, CopyFull
from agent.transfer.store import CopyStore, destroy_copy, forget_old, open_copy
from tests.agent.transfer.rig import KEY, TRANSFER, UGLY

CONTENT = os.urandom(2 * RECORD_BYTES + 17)
DAY = 86_400


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "transfers"


def opened(root: Path, key: bytes = KEY) -> CopyStore:
    return open_copy(root, TRANSFER, key, 7)


def written(copy: CopyStore, content: bytes = CONTENT, piece: int = 100_000) -> int:
    number = copy.new_number()
    writer = copy.create(number)
    for start in range(0, len(content), piece):
        writer.write(content[start : start + piece])
    writer.finish()
    return number


def path_of(root: Path, number: int) -> Path:
    return root / TRANSFER / f"{number:08d}"


@pytest.mark.parametrize("size", [0, 1, RECORD_BYTES - 1, RECORD_BYTES, RECORD_BYTES + 1, 2 * RECORD_BYTES])
def test_what_was_written_is_read_from_any_byte_on(root: Path, size: int) -> None:
    copy = opened(root)
    number = written(copy, CONTENT[:size])
    for skip in {0, *(n for n in (1, size // 2, RECORD_BYTES, size - 1) if 0 < n < size)}:
        assert b"".join(copy.read(number, skip)) == CONTENT[skip:size]
    copy.close()


def test_no_name_and_no_content_can_be_read_on_the_disk(root: Path) -> None:
    copy = opened(root)
    items = Items(copy)
    items.listed([Found(b"./DCIM/canary-name.jpg", 12, 1_700_000_000)])
    written(copy, b"canary-content" * 1000)
    copy.part("contacts").write("canary-part", [b"canary-text"])
    copy.close()
    everything = b"".join(p.read_bytes() + p.name.encode() for p in root.rglob("*") if p.is_file())
    assert b"canary" not in everything
    assert KEY not in everything
    assert all(p.stat().st_mode & 0o077 == 0 for p in root.rglob("0*"))


def test_a_changed_bit_is_never_content(root: Path) -> None:
    copy = opened(root)
    number = written(copy, CONTENT[: RECORD_BYTES + 50])
    path = path_of(root, number)
    sound = path.read_bytes()
    for at in [0, 4, 5, 20, 100, RECORD_BYTES, len(sound) - 60, len(sound) - 1]:
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        with pytest.raises(CopyDamaged):
            list(copy.read(number))
    copy.close()


def test_a_cut_or_moved_file_is_never_whole(root: Path) -> None:
    copy = opened(root)
    number, other = written(copy), written(copy, CONTENT[::-1])
    sound = path_of(root, number).read_bytes()
    record = len(sound) // 2 - 100
    for size in [0, 3, 50, record, sealed._FULL, 2 * sealed._FULL, len(sound) - 1]:
        path_of(root, number).write_bytes(sound[:size])
        with pytest.raises(CopyDamaged):
            list(copy.read(number))
    path_of(root, number).write_bytes(sound + sound[: sealed._FULL])
    with pytest.raises(CopyDamaged):
        list(copy.read(number))
    path_of(root, other).write_bytes(sound)
    with pytest.raises(CopyDamaged):
        list(copy.read(other))
    path_of(root, number).unlink()
    with pytest.raises(CopyDamaged):
        list(copy.read(number))
    copy.close()


def test_records_cannot_change_places(root: Path) -> None:
    copy = opened(root)
    number = written(copy)
    path = path_of(root, number)
    sound, full = path.read_bytes(), sealed._FULL
    path.write_bytes(sound[full : 2 * full] + sound[:full] + sound[2 * full :])
    with pytest.raises(CopyDamaged):
        list(copy.read(number))
    copy.close()


@pytest.mark.parametrize("torn", [0, 1, 40, sealed._FULL - 1, sealed._FULL, sealed._FULL + 9])
def test_a_file_goes_on_at_its_last_whole_record(root: Path, torn: int) -> None:
    copy = opened(root)
    number = copy.new_number()
    writer = copy.create(number)
    writer.write(CONTENT)
    writer.close()
    raw = path_of(root, number).read_bytes()
    path_of(root, number).write_bytes(raw[:torn])
    writer = copy.resume(number, len(CONTENT))
    assert writer.held == torn // sealed._FULL * RECORD_BYTES
    writer.write(CONTENT[writer.held :])
    writer.finish()
    assert b"".join(copy.read(number)) == CONTENT
    copy.close()


def test_another_key_finds_nothing_and_begins_anew(root: Path) -> None:
    copy = opened(root)
    number = written(copy)
    copy.log({"e": "got"})
    copy.close()
    again = opened(root)
    assert [event["e"] for event in again.events if event["e"] != "begun"] == ["got"]
    again.close()
    other = opened(root, bytes(32))
    assert [event["e"] for event in other.events if event["e"] != "begun"] == []
    assert not path_of(root, number).exists()
    other.close()


def test_a_torn_end_of_the_journal_is_left_out(root: Path) -> None:
    copy = opened(root)
    for number in range(5):
        copy.log({"e": "got", "n": number})
    copy.close()
    path = path_of(root, 0)
    path.write_bytes(path.read_bytes()[:-3])
    again = opened(root)
    again.log({"e": "got", "n": 99})
    again.close()
    last = opened(root)
    assert [event["n"] for event in last.events if "n" in event] == [0, 1, 2, 3, 99]
    last.close()


def test_a_parts_text_is_whole_or_the_former_one(root: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("cable")

    copy = opened(root)
    texts = copy.part("contacts")
    assert not texts.has("rows")
    texts.write("rows", [b"one", b"two"])
    with pytest.raises(RuntimeError):
        texts.write("rows", broken())
    assert b"".join(texts.read("rows")) == b"onetwo"
    texts.write("rows", [b"three"])
    copy.close()
    again = opened(root)
    assert b"".join(again.part("contacts").read("rows")) == b"three"
    assert not again.part("calls").has("rows")
    with pytest.raises(KeyError):
        again.part("calls").read("rows")
    again.close()


def test_destroying_is_whole_and_may_be_repeated(root: Path) -> None:
    opened(root).close()
    assert destroy_copy(root, TRANSFER)
    assert not destroy_copy(root, TRANSFER)
    assert list(root.iterdir()) == []
    for bad in ("..", "../x", "", "a/b", "."):
        with pytest.raises(ValueError, match="uuid"):
            destroy_copy(root, bad)


def test_a_copy_that_nobody_asks_for_is_destroyed_in_time(root: Path) -> None:
    opened(root).close()
    now = (root / TRANSFER / "keep").stat().st_mtime
    assert forget_old(root, now + 7 * DAY - 10) == []
    assert forget_old(root, now + 7 * DAY + 10) == [TRANSFER]
    assert list(root.iterdir()) == []
    assert forget_old(root / "none", now) == []


def test_a_full_disk_is_told(root: Path) -> None:
    copy = opened(root)
    (root / TRANSFER / "00000001").symlink_to("/dev/full")
    with pytest.raises(CopyFull):
        written(copy)
    copy.close()


def test_how_an_order_ended_is_known_of_that_order_alone(root: Path) -> None:
    opened(root).close()
    assert store.receipt(root, TRANSFER, "c1") is None
    store.write_receipt(root, TRANSFER, "c1", {"outcome": "verified"})
    assert store.shred(root, TRANSFER)
    assert not store.shred(root, TRANSFER)
    assert store.receipt(root, TRANSFER, "c1") == {"outcome": "verified"}
    assert store.receipt(root, TRANSFER, "c2") is None
    opened(root).close()
    assert store.receipt(root, TRANSFER, "c1") is None


def test_the_journal_gives_back_every_items_state(root: Path) -> None:
    copy = opened(root)
    items = Items(copy)
    items.listed([Found(b"./DCIM/" + name, n, 1000 + n) for n, name in enumerate(UGLY)])
    first, second, third, fourth = list(items)[:4]
    items.got(first, "aa", 10)
    items.surely([first])
    items.at([first])
    items.got(second, "bb", 11)
    items.doubted(second, "changed")
    second.name = 2
    items.at([second])
    items.got(third, "cc", 12)
    items.forget(third)
    items.got(fourth, "dd", 13)
    copy.close()
    again = Items(opened(root))
    again.listed([Found(i.path, i.size, i.mtime) for i in items])
    for old, new in zip(items, again, strict=True):
        for name in ("number", "path", "size", "mtime", "sha256", "sure", "doubt", "target"):
            assert getattr(old, name) == getattr(new, name), name
    again.listed([Found(first.path, 99, first.mtime)])
    assert next(iter(again)).sha256 is None
    again.copy.close()


def test_globs_fit_names_and_paths() -> None:
    globs = (".thumbnails", "*.tmp", "Camera/skip*")
    assert excluded(b"./DCIM", b"./DCIM/.thumbnails/1.jpg", globs)
    assert excluded(b"./DCIM", b"./DCIM/a/b.tmp", globs)
    assert excluded(b"./DCIM", b"./DCIM/Camera/skip me.jpg", globs)
    assert not excluded(b"./DCIM", b"./DCIM/Camera/me.TMP", globs)
    assert not excluded(b"./.thumbnails", b"./.thumbnails/1.jpg", globs)


@pytest.mark.parametrize(
    "name", [*UGLY, b"a.tar.gz", b".hidden", b"x" * 255, "照".encode() * 85, b"n." + b"e" * 250]
)
def test_a_name_beside_keeps_its_folder_and_ending_and_fits(name: bytes) -> None:
    names = {beside(b"./DCIM/" + name, n) for n in range(1, 21)}
    assert len(names) == 20
    for made in names:
        folder, _, last = made.rpartition(b"/")
        assert folder == b"./DCIM"
        assert "（旧手机".encode() in last
        shown(made).encode()


def test_paths_are_shown_as_text_without_surrogates() -> None:
    assert shown(b"./DCIM/bad\xff.jpg") == "DCIM/bad\\xff.jpg"
    assert shown("./DCIM/照片😀.jpg".encode()) == "DCIM/照片😀.jpg"
