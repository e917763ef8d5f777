"""What simulated phones take along into the next run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.simulator import keeping, reset
from agent.simulator.make import make_phone
from agent.simulator.state import Enabled, Package, PhoneState, UserState


def _phones() -> list[PhoneState]:
    phones = [make_phone(0), make_phone(1)]
    for phone in phones:
        phone.contacts, phone.media, phone.lock_pin = 5, 3, "2580"
    return phones


def _next_run(path: Path) -> tuple[list[PhoneState], keeping.Made]:
    phones = _phones()
    as_made = keeping.made(phones)
    keeping.bring_back(path, phones)
    return phones, as_made


def _apps(phone: PhoneState) -> dict[str, Package]:
    return {one.name: one for one in phone.packages}


def test_what_became_of_apps_stays_over_any_number_of_runs(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    (phone, other), as_made = _next_run(file)
    gone, hurt = [one for one in phone.packages if not one.system][:2]
    phone.packages = [one for one in phone.packages if one.name != gone.name]
    _apps(phone)[hurt.name].users[0] = UserState(Enabled.DISABLED_USER, suspended=True)
    phone.packages.append(Package("com.new.app", 3, "0.3", users={0: UserState(), 10: UserState()}))
    wanted = _apps(phone)
    for _ in range(3):
        keeping.keep(file, [phone, other], as_made)
        (phone, other), as_made = _next_run(file)
        assert _apps(phone) == wanted
    assert list(json.loads(file.read_text())) == [phone.identity.serial]
    # Back as it was made: nothing is kept any more.
    keeping.keep(file, _phones(), as_made)
    assert json.loads(file.read_text()) == {}


def test_an_erased_phone_comes_back_erased(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    (phone, other), as_made = _next_run(file)
    reset.erase(phone, harness=True)
    reset.erase(other, harness=False)
    keeping.keep(file, [phone, other], as_made)
    (one, two), as_made = _next_run(file)
    assert one.identity.android_id == phone.identity.android_id
    assert _apps(one) == _apps(phone)
    assert (one.lock_pin, one.accounts, one.contacts, one.media, one.test_harness) == (None, [], 0, 0, True)
    assert (one.debugging, two.debugging, two.auth) == (True, False, other.auth)
    # The scenario's count of boots holds: each run is a later boot.
    assert one.boot_count == make_phone(0).boot_count
    keeping.keep(file, [one, two], as_made)
    (again, _), _ = _next_run(file)
    assert again.identity.android_id == phone.identity.android_id
    assert _apps(again) == _apps(phone)


BROKEN = ["", "[]", "{", '{"%s": []}', '{"%s": {"gone": 1, "changed": [], "erased": null}}',
          '{"%s": {"gone": [], "changed": [{"users": {"x": 1}}], "erased": null}}',
          '{"%s": {"gone": [], "changed": [], "erased": {"harness": true}}}']  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_a_file_of_something_else_changes_no_phone(tmp_path: Path, text: str) -> None:
    phones = _phones()
    file = tmp_path / "kept.json"
    file.write_text(text.replace("%s", phones[1].identity.serial), encoding="utf-8")
    if text == "[]":
        keeping.bring_back(file, phones)
    else:
        with pytest.raises(keeping.KeptError):
            keeping.bring_back(file, phones)
    assert [_apps(phone) for phone in phones] == [_apps(phone) for phone in _phones()]


def test_the_command_refuses_such_a_file_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_text("{", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "agent",
        "simulate",
        "--phones",
        "1",
        "--port",
        "7999",
        "--keep",
        str(file),
    ]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[3], check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("what was kept cannot be used: ")
    assert ended.stderr.count("\n") == 1
