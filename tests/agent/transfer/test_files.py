"""Files from one simulated phone to another, by the phones' own shell: all of them, whole, under their names."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.longwork import WorkStopped
from agent.transfer.engine import Failed
from agent.transfer.phone import PhoneFiles
from agent.transfer.turns import GaveUp
from tests.agent.transfer.rig import UGLY, Rig, fill, put, tree
from tests.support.cutting import random_cuts


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path).up() as made:
        yield made


def by_path(rig: Rig) -> dict[str, Mapping[str, Any]]:
    return {entry["path"]: entry for entry in rig.sent[-1].entries}


def test_every_name_arrives_with_its_content_and_time(rig: Rig) -> None:
    fill(rig.old / "DCIM", len(UGLY) + 10)
    put(rig.old / "DCIM/.nomedia", b"")
    put(rig.old / "DCIM/.thumbnails/1", b"x")
    (rig.old / "DCIM/link").symlink_to("/etc/passwd")
    put(rig.old / "Other/not wanted", b"x")
    result = rig.run(exclude=(".nomedia", ".thumbnails", "Camera/IMG_20*"))
    wanted = tree(rig.old / "DCIM")
    for path in (".nomedia", ".thumbnails/1", "Camera/IMG_20.jpg"):
        del wanted[path]
    assert tree(rig.new / "DCIM") == wanted
    assert [path.name for path in rig.new.iterdir()] == ["DCIM"]
    assert result.outcome == "verified"
    assert result.files["verified"] == result.files["found"] == result.files["moved"] == len(wanted)
    assert {entry["state"] for entry in result.manifest.entries} == {"verified"}
    assert "DCIM/bad\\xff\\xfe.jpg" in by_path(rig)
    stages = list(dict.fromkeys(detail["stage"] for detail in rig.told))
    assert stages == ["identity", "listing", "space", "reading", "writing", "verifying", "manifest"]


def test_what_the_new_phone_has_is_never_written_over(rig: Rig) -> None:
    put(rig.old / "DCIM/same.jpg", b"same")
    put(rig.old / "DCIM/other.jpg", b"mine")
    put(rig.old / "DCIM/dir", b"a file here")
    put(rig.old / "DCIM/twice.tar.gz", b"mine")
    put(rig.new / "DCIM/same.jpg", b"same")
    put(rig.new / "DCIM/other.jpg", b"theirs")
    put(rig.new / "DCIM/dir/x", b"a folder there")
    put(rig.new / "DCIM/twice.tar.gz", b"theirs")
    put(rig.new / "DCIM/twice.tar（旧手机）.gz", b"theirs, too")
    before = tree(rig.new)
    result = rig.run()
    after = tree(rig.new)
    assert {path: after[path] for path in before} == before
    new = after.keys() - before.keys()
    assert new == {"DCIM/other（旧手机）.jpg", "DCIM/dir（旧手机）", "DCIM/twice.tar（旧手机2）.gz"}
    assert result.outcome == "verified"
    assert by_path(rig)["DCIM/other（旧手机）.jpg"]["reason"] == "renamed"
    again = rig.run()
    assert tree(rig.new) == after
    assert again.manifest.sha256 == result.manifest.sha256


def test_cuts_at_any_byte_lose_and_double_nothing(rig: Rig) -> None:
    rng = random.Random(int(os.environ.get("BUTLER_SEED", "1")))
    fill(rig.old / "DCIM", 50, 7)
    put(rig.old / "DCIM/long.mp4", rng.randbytes(5 * 2**20 + 5))
    rig.cuts = {n: random_cuts(rng, 2_000, 2_000_000, 1) for n in (0, 1)}
    result = rig.run(turn_s=1.0)
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")
    assert result.outcome == "verified"
    assert rig.proxies[0].cuts > 2
    assert rig.proxies[1].cuts > 2


def test_an_ended_agent_goes_on_where_it_was(rig: Rig) -> None:
    """Stopped at many points, each time begun anew with nothing but what is on the disk."""
    fill(rig.old / "DCIM", 40)
    put(rig.old / "DCIM/long.mp4", random.Random(5).randbytes(5 * 2**20 + 5))
    rng = random.Random(3)
    left = [0]

    def stop(detail: Mapping[str, Any]) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise WorkStopped

    rig.on_progress = stop
    for _ in range(8):
        left[0] = rng.randint(5, 250)
        try:
            rig.run()
        except WorkStopped:
            continue
        break
    left[0] = -1
    read = len([d for d in rig.told if d["stage"] == "reading"])
    result = rig.run()
    assert len([d for d in rig.told if d["stage"] == "reading"]) - read <= 3, "nothing is read twice"
    assert result.outcome == "verified"
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")


def test_files_that_change_or_go_are_moved_as_they_were_and_listed(rig: Rig) -> None:
    fill(rig.old / "DCIM", 30)
    put(rig.old / "DCIM/zz-grows.log", b"x" * 5000)
    put(rig.old / "DCIM/zz-shrinks.log", b"x" * 5000)
    reading = [0]

    def act(detail: Mapping[str, Any]) -> None:
        if detail["stage"] != "reading":
            return
        reading[0] += 1
        if reading[0] == 1:
            put(rig.old / "DCIM/zz-shrinks.log", b"y" * 9, 1_700_009_999)
            (rig.old / "DCIM/Camera/IMG_20.jpg").unlink()
        if rig.old.joinpath("DCIM/zz-grows.log").exists():
            with (rig.old / "DCIM/zz-grows.log").open("ab") as stream:
                stream.write(b"more")

    rig.on_progress = act
    result = rig.run()
    states = {path: (entry["state"], entry["reason"]) for path, entry in by_path(rig).items()}
    assert states.pop("DCIM/Camera/IMG_20.jpg") == ("missing", "vanished")
    assert states.pop("DCIM/zz-grows.log") == ("differs", "changed")
    assert set(states.values()) == {("verified", None)}
    assert not (rig.new / "DCIM/Camera/IMG_20.jpg").exists()
    assert (rig.new / "DCIM/zz-shrinks.log").read_bytes() == b"y" * 9
    assert (rig.new / "DCIM/zz-grows.log").read_bytes().startswith(b"x" * 5000 + b"more")
    assert result.outcome == "differences"
    assert (result.files["failed"], result.files["differs"]) == (1, 1)


def test_a_file_that_never_ends_is_read_as_far_as_it_said(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    put(rig.old / "DCIM/endless.log", b"x" * 3 * 2**20)
    fill(rig.old / "DCIM", 5)
    stream = PhoneFiles._stream

    def endless(self: PhoneFiles, command: str, *rest: Any) -> Any:
        return stream(self, command + "; cat /dev/zero" if "exec dd" in command else command, *rest)

    monkeypatch.setattr(PhoneFiles, "_stream", endless)
    result = rig.run()
    assert result.outcome == "verified"
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")


def test_a_listing_that_leads_out_of_its_folder_writes_nowhere(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phone that lies: its names would become names on the other one."""
    fill(rig.old / "DCIM", 3)
    stream = PhoneFiles._stream
    liar = b"./DCIM/../evil\0./Other/evil\0evil\0./DCIM//evil\0"

    def lie(self: PhoneFiles, command: str, sink: Any, *rest: Any) -> Any:
        if "find ./DCIM" not in command:
            return stream(self, command, sink, *rest)
        for folder in ("", "DCIM", "Other"):
            put(rig.old / folder / "evil", b"x")
        return stream(self, command, lambda piece: sink(liar + piece), *rest)

    monkeypatch.setattr(PhoneFiles, "_stream", lie)
    result = rig.run()
    assert result.outcome == "differences"
    assert by_path(rig)["DCIM"]["reason"] == "folder_unread"
    assert {path.name for path in rig.new.iterdir()} == {"DCIM"}


def test_times_before_1970_and_after_2106_are_times(rig: Rig) -> None:
    times = {"1901": -2_000_000_000, "1969": -1, "2200": 7_258_118_400}
    for name, mtime in times.items():
        put(rig.old / "DCIM" / name, b"x", mtime)
    assert rig.run().outcome == "verified"
    assert {path.removeprefix("DCIM/"): entry["mtime"] for path, entry in by_path(rig).items()} == times


def test_what_was_read_of_a_file_that_is_gone_is_kept(rig: Rig) -> None:
    fill(rig.old / "DCIM", 30)
    content = (rig.old / "DCIM/Camera/IMG_20.jpg").read_bytes()
    steps = [0]

    def act(detail: Mapping[str, Any]) -> None:
        steps[0] += detail["stage"] == "reading" and detail["done_files"] == 30
        if steps[0] == 1:
            (rig.old / "DCIM/Camera/IMG_20.jpg").unlink(missing_ok=True)

    rig.on_progress = act
    result = rig.run()
    entry = by_path(rig)["DCIM/Camera/IMG_20.jpg"]
    assert (entry["state"], entry["reason"], result.outcome) == ("differs", "vanished", "differences")
    assert (rig.new / "DCIM/Camera/IMG_20.jpg").read_bytes() == content


def test_a_new_phone_without_room_is_told_before_anything_is_moved(rig: Rig) -> None:
    fill(rig.old / "DCIM", 5)
    rig.phones[1].storage_free = 10 * 2**20
    with pytest.raises(Failed) as caught:
        rig.run()
    assert caught.value.reason == "no_room_new"
    assert tree(rig.new) == {}


def test_a_gateway_without_room_is_told_and_goes_on_when_it_has_some(rig: Rig) -> None:
    fill(rig.old / "DCIM", 5)
    rig.room = lambda folder: 1000
    with pytest.raises(Failed) as caught:
        rig.run()
    assert caught.value.reason == "no_room_here"
    assert tree(rig.new) == {}
    rig.room = lambda folder: 2**30
    assert rig.run().outcome == "verified"


def test_what_is_too_large_or_too_odd_is_listed(rig: Rig) -> None:
    put(rig.old / "DCIM/large", b"x" * 5000)
    put(rig.old / "DCIM/small", b"x" * 50)
    result = rig.run(max_file_bytes=1000)
    assert (by_path(rig)["DCIM/large"]["state"], result.outcome) == ("skipped", "differences")
    assert result.files["skipped"] == 1
    assert not (rig.new / "DCIM/large").exists()


def test_a_file_that_somebody_spoils_or_removes_on_the_new_phone(rig: Rig) -> None:
    """Before the proof: what is gone is written again, what is other is listed."""
    fill(rig.old / "DCIM", 20)
    seen = [False]

    def act(detail: Mapping[str, Any]) -> None:
        if detail["stage"] == "verifying" and not seen[0]:
            seen[0] = True
            (rig.new / "DCIM/a b").unlink()
            (rig.new / "DCIM/it's").write_bytes(b"spoilt")

    rig.on_progress = act
    result = rig.run()
    assert result.outcome == "differences"
    entries = by_path(rig)
    assert (entries["DCIM/it's"]["state"], entries["DCIM/it's"]["reason"]) == ("differs", "hash")
    assert entries["DCIM/a b"]["state"] == "verified"
    assert (rig.new / "DCIM/a b").read_bytes() == (rig.old / "DCIM/a b").read_bytes()


def test_what_is_spoilt_on_its_way_never_takes_its_place(rig: Rig) -> None:
    fill(rig.old / "DCIM", 20)
    seen = [False]

    def act(detail: Mapping[str, Any]) -> None:
        staged = sorted(rig.new.glob(".butler-transfer-*/*"))
        if len(staged) > 3 and not seen[0]:
            seen[0] = True
            staged[0].write_bytes(b"?" * staged[0].stat().st_size)

    rig.on_progress = act
    assert rig.run().outcome == "verified"
    assert seen == [True]
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")


def test_a_damaged_copy_is_read_again(rig: Rig) -> None:
    fill(rig.old / "DCIM", 30)
    done = [False]

    def act(detail: Mapping[str, Any]) -> None:
        if detail["stage"] == "writing" and not done[0]:
            done[0] = True
            held = sorted(p for p in rig.root.glob("*/0*") if p.name != "00000000")
            for path in held[::3]:
                raw = bytearray(path.read_bytes())
                raw[len(raw) // 2] ^= 1
                path.write_bytes(raw)
            held[1].unlink()

    rig.on_progress = act
    assert rig.run().outcome == "verified"
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")


def test_another_key_begins_anew_and_a_phone_that_stays_away_is_given_up(rig: Rig) -> None:
    fill(rig.old / "DCIM", 3)
    assert rig.run().outcome == "verified"
    assert rig.run(key=bytes(32)).outcome == "verified"
    assert len(tree(rig.new)) == 3
    rig.fleet.power_off(0)
    with pytest.raises(GaveUp) as caught:
        rig.run()
    assert caught.value.first
    assert caught.value.reason in {"unreachable", "dropped"}


def test_old_phones_are_moved_from_with_what_they_have(rig: Rig) -> None:
    """No shell v2: output by `exec`, no input."""
    for phone in rig.phones:
        phone.shell_v2 = False
    fill(rig.old / "DCIM", len(UGLY))
    put(rig.old / "DCIM/long.mp4", random.Random(5).randbytes(5 * 2**20 + 5))
    assert rig.run().outcome == "verified"
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")
