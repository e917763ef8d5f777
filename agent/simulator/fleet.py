"""Simulated phones on real ports, in one event loop on a thread of its own."""

import asyncio
import contextlib
import resource
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from agent.simulator import vcards
from agent.simulator.device import Device, Runner
from agent.simulator.faults import Fault
from agent.simulator.files import PhoneFiles
from agent.simulator.mksh import MkshRunner
from agent.simulator.runner import CannedRunner
from agent.simulator.scratch import Scratch
from agent.simulator.state import PhoneState

T = TypeVar("T")
Mode = Literal["mksh", "canned"]

_FILES_PER_PHONE = 4
_FILES_BESIDE = 256


class Fleet:
    """Context manager: phones listen from `__enter__` to `__exit__`.

    `port` 0 gives each phone a free port, another number consecutive ports from it. `mode` `mksh` runs
    commands with the machine's mksh and toybox; where they are missing the fleet says so once on standard
    error and is `canned`. Phones are named by their place in `phones`. Methods may be called from any
    thread and return when done; they raise OSError when a port cannot be opened.
    """

    def __init__(
        self, phones: Sequence[PhoneState], mode: Mode = "canned", host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.phones = list(phones)
        self.mode: Mode = mode
        if mode == "mksh" and not MkshRunner.available():
            sys.stderr.write("mksh or toybox is not installed: simulated phones give canned output\n")
            self.mode = "canned"
        self._scratch = Scratch()
        self._runner: Runner = MkshRunner(self._scratch) if self.mode == "mksh" else CannedRunner()
        self.devices = [
            Device(phone, self._runner, PhoneFiles(self._scratch), host, port + index if port else 0)
            for index, phone in enumerate(phones)
        ]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simulated-phones", daemon=True)

    def __enter__(self) -> Self:
        _raise_file_limit(len(self.devices))
        self._thread.start()
        try:
            self._call(self._start())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def ports(self) -> list[int]:
        """Each phone's TCP port."""
        return [device.port for device in self.devices]

    def set_fault(self, index: int, fault: Fault | None) -> None:
        """Give a phone a fault, or none."""
        self._call(self.devices[index].set_fault(fault))

    def reboot(self, index: int, reason: str = "reboot,userrequested") -> None:
        """Reboot a phone; returns when it is off the network (and, with `boot_duration_s` 0, on again)."""
        self._call(self.devices[index].reboot(reason))

    def power_off(self, index: int, reason: str = "") -> None:
        """Loss of power, or with a reason an orderly shutdown."""
        self._call(self.devices[index].power_off(reason))

    def power_on(self, index: int) -> None:
        """Boot a phone that is off."""
        self._call(self.devices[index].power_on())

    def kill_journal(self, index: int) -> None:
        """End the on-phone journal's process, as somebody with the phone in hand may."""
        device = self.devices[index]
        self._call(_later(lambda: device.runner.journal_killed(device)))

    def lose_journal(self, index: int) -> None:
        """Delete the on-phone journal's files."""
        device = self.devices[index]
        self._call(_later(lambda: device.runner.journal_lost(device)))

    def factory_reset(self, index: int) -> None:
        """Somebody resets the phone in its settings; returns when it is off the network. It comes back with debugging
        off and no key allowed.
        """
        self._call(self.devices[index].erase(harness=False))

    def swap(self, one: int, other: int) -> None:
        """Exchange the cables of two phones: from now on each answers at the other's port. `ports` goes with them."""
        self._call(_swap(self.devices[one], self.devices[other]))

    def enable_debugging(self, index: int) -> None:
        """Somebody switches USB debugging on; a key still has to be allowed."""
        self._call(self.devices[index].enable_debugging())

    def authorise(self, index: int) -> int:
        """Tap "always allow" for every key that waits at this phone; the number of keys."""
        return self._call(_later(self.devices[index].authorise))

    def tap(self, index: int) -> int:
        """Tap "import" for every vCard that is open on this phone's screen; how many there were."""
        phone = self.phones[index]
        return self._call(_later(lambda: vcards.tap(phone)))

    def change(self, index: int, action: Callable[[PhoneState], None]) -> None:
        """Change a phone's state between two of its messages, never in the middle of an answer."""
        phone = self.phones[index]
        self._call(_later(lambda: action(phone)))

    def drop_connections(self, index: int) -> None:
        """Reset every connection to this phone; its port stays open."""
        self._call(_later(self.devices[index].drop_connections))

    def close(self) -> None:
        """Take every phone down and end the thread."""
        if self._thread.is_alive():
            self._call(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        if not self._loop.is_closed():
            self._loop.close()

    def _call(self, action: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(action, self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _start(self) -> None:
        for device in self.devices:
            await device.start()

    async def _stop(self) -> None:
        for device in self.devices:
            await device.close()
        await self._runner.close()
        self._scratch.close()
        current = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _swap(one: Device, other: Device) -> None:
    await one.unplug()
    await other.unplug()
    ports = other.port, one.port
    await one.move_to(ports[0])
    await other.move_to(ports[1])


async def _later(action: Callable[[], T]) -> T:
    return action()


def _raise_file_limit(phones: int) -> None:
    """Lift the soft limit of open files, which 1,024 phones would otherwise run into."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = phones * _FILES_PER_PHONE + _FILES_BESIDE
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
