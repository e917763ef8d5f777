"""The journal's script as it runs on a phone: this machine's mksh and toybox in a simulated phone's surroundings."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.parsers.journal import JournalContact, parse_journal
from agent.phone import MAX_COMMAND, journal_install_command, journal_version, snapshot_command
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode
from agent.transport import TransportOptions, open_transport

SHUTDOWN = "shutdown,userrequested"
PATIENCE_S = 10.0


class Phone:
    """A simulated phone with real processes; `contact` is what a snapshot does about the journal."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.state = fleet.phones[0]
        self.folder = fleet.devices[0].files.real("/data/local/tmp")

    def run(self, command: str) -> str:
        with open_transport(f"tcp:127.0.0.1:{self.fleet.ports[0]}", TransportOptions()) as transport:
            return transport.run(command, 30).stdout.decode()

    def install(self) -> JournalContact:
        return self._read(self.run(journal_install_command()))

    def contact(self, *collected: str) -> JournalContact:
        words = " ".join(collected)
        return self._read(self.run(f"sh /data/local/tmp/butler-journal.sh contact {words}"))

    def _read(self, text: str) -> JournalContact:
        return parse_journal(text, self.state.identity.serial)

    def wait(self, check: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not check():
            assert time.monotonic() < end
            time.sleep(0.02)

    def at_work(self) -> int:
        """The process of a run that has written its first line."""
        self.wait(lambda: self.file(".now").exists() and self.file(".now").read_text().endswith("\n"))
        return int(self.file(".pid").read_text().split()[0])

    def file(self, suffix: str) -> Path:
        return self.folder / f"butler-journal{suffix}"


@pytest.fixture
def phone() -> Iterator[Phone]:
    if not MkshRunner.available():
        pytest.skip("mksh or toybox is not installed")
    made = make_phone(0)
    made.auth = AuthMode.OPEN
    made.boot_id = str(uuid.uuid4())
    with Fleet([made], mode="mksh") as fleet:
        yield Phone(fleet)


def ends(contact: JournalContact) -> list[str]:
    return [line.end for line in contact.left]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_it_fits_into_old_phones_open() -> None:
    assert len(journal_install_command().encode()) < MAX_COMMAND
    files = [f"0a1b2c3d.{n}12345678.12.1" for n in range(32)]
    assert len(snapshot_command(collected=files)[0].encode()) < MAX_COMMAND


def test_names_that_are_none_never_become_part_of_a_command() -> None:
    command, _ = snapshot_command(
        collected=["$(reboot)", "a; rm -rf /", "*", "", "0a1b2c3d.5.00.1", "0a.5.1\n"]
    )
    assert 'A="0a1b2c3d.5.00.1"\n' in command


def test_it_is_put_there_started_and_outlives_the_connection(phone: Phone) -> None:
    assert phone.install().version == journal_version()
    pid = phone.at_work()
    again = phone.contact()
    assert again.running
    assert again.current is not None
    assert again.current.boot_id == phone.state.boot_id
    assert again.current.boot_count == phone.state.boot_count
    assert again.current.battery_percent == phone.state.battery.percent
    assert phone.at_work() == pid


def test_a_shutdown_leaves_its_mark_at_once(phone: Phone) -> None:
    phone.install()
    phone.at_work()
    boot_id = phone.state.boot_id
    phone.fleet.power_off(0, SHUTDOWN)
    phone.fleet.power_on(0)
    told = phone.contact()
    assert not told.running
    assert ends(told) == ["open", "shutdown"]
    assert {line.boot_id for line in told.left} == {boot_id}
    assert told.spoilt == 0


def test_a_loss_of_power_leaves_none(phone: Phone) -> None:
    phone.install()
    phone.at_work()
    phone.fleet.power_off(0)
    phone.fleet.power_on(0)
    assert ends(phone.contact()) == ["open"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_job_that_is_killed_alone_is_no_shutdown(phone: Phone, number: signal.Signals) -> None:
    phone.install()
    os.kill(phone.at_work(), number)
    time.sleep(0.3)
    assert "shutdown" not in ends(phone.contact())
    phone.at_work()
    assert phone.contact().running, "and it runs again"


def test_what_was_left_is_told_until_it_may_be_forgotten(phone: Phone) -> None:
    phone.install()
    phone.at_work()
    phone.fleet.power_off(0, SHUTDOWN)
    phone.fleet.power_on(0)
    first, second = phone.contact(), phone.contact()
    assert first.left == second.left
    assert first.files == second.files != ()
    assert phone.contact("0a1b2c3d.99.00.1").left == first.left, "a name of another phone"
    assert phone.contact(*first.files).left == ()


def test_only_one_copy_runs(phone: Phone) -> None:
    for _ in range(4):
        phone.install()
    pid = phone.at_work()
    mark = str(phone.file(".sh")).encode()

    def copies() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if mark in words and b"run" in words and b"nohup" not in words:
                    found.append(int(entry.name))
        return found

    for copy in copies():
        if copy != pid:
            # Its next minute would show it that another has taken over; a TERM now leaves no mark either.
            os.kill(copy, signal.SIGTERM)
    phone.wait(lambda: copies() == [pid])


def test_a_run_whose_files_are_gone_ends_by_itself(phone: Phone) -> None:
    phone.install()
    # A shell reads its script as it goes: it has read the part that runs when it has written its first line.
    at_work = phone.at_work()
    script = phone.file(".sh")
    script.write_text(script.read_text().replace("${BUTLER_TICK:-60}", "0.1"))
    os.kill(at_work, signal.SIGKILL)
    phone.file(".now").unlink()
    phone.contact()
    pid = phone.at_work()
    phone.fleet.lose_journal(0)
    phone.wait(lambda: gone(pid))
    assert not phone.file(".pid").exists()


def test_the_log_is_bounded(phone: Phone) -> None:
    phone.install()
    # A shell reads its script as it goes: it has read the part that runs when it has written its first line.
    at_work = phone.at_work()
    script = phone.file(".sh")
    script.write_text(script.read_text().replace("${BUTLER_TICK:-60}", "0.01").replace("n % 240", "n % 3"))
    os.kill(at_work, signal.SIGKILL)
    phone.file(".now").unlink()
    phone.contact()
    phone.wait(lambda: (line := phone.contact().current) is not None and line.number > 8)
    lines = [phone.file(s).read_text().count("\n") for s in (".old", ".log") if phone.file(s).exists()]
    assert max(lines) <= 3
    os.kill(phone.at_work(), signal.SIGKILL)
    # The program that was just putting a full file aside outlives the shell by a moment.
    time.sleep(0.3)
    numbers = [line.number for line in phone.contact().left]
    assert max(numbers) > 8
    assert numbers.count(1) == 1, "of the first run; the second one's are gone"


def test_files_that_nobody_collects_do_not_pile_up(phone: Phone) -> None:
    phone.install()
    pid = phone.at_work()
    for n in range(40):
        (phone.folder / f"butler-journal.out.0a1b2c3d.{n}.00.1").write_text("x\n")
    os.kill(pid, signal.SIGKILL)
    told = phone.contact()
    assert len(told.files) == 8
    assert len(list(phone.folder.glob("butler-journal.out.*"))) == 40
    phone.at_work()
    assert phone.file(".log").read_text().count("\n") >= 2, "the next run goes on in the same file"


def test_a_full_disk_spoils_nothing(phone: Phone) -> None:
    """/dev/full stands for it: each write fails, as on a phone without room."""
    phone.install()
    pid = phone.at_work()
    before = phone.file(".log").read_text()
    kept = phone.folder / "kept"
    phone.file(".log").rename(kept)
    phone.file(".log").symlink_to("/dev/full")
    os.kill(pid, signal.SIGTERM)
    phone.wait(lambda: gone(pid))
    phone.file(".log").unlink()
    kept.rename(phone.file(".log"))
    assert phone.file(".log").read_text() == before
    assert "shutdown" not in ends(phone.contact())


def test_a_line_torn_by_a_loss_of_power_costs_itself(phone: Phone) -> None:
    phone.install()
    os.kill(phone.at_work(), signal.SIGKILL)
    whole = phone.file(".log").read_text()
    phone.file(".log").write_text(whole + whole[:40])
    told = phone.contact()
    assert (len(told.left), told.spoilt) == (1, 1)


def test_the_former_boots_number_is_not_taken_for_this_ones(phone: Phone) -> None:
    phone.state.boot_completed_after_s = 1e9
    phone.install()
    phone.at_work()
    current = phone.contact().current
    assert current is not None
    assert current.boot_count is None
