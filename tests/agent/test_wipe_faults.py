"""An order to erase while the agent is killed, the cable is cut at each byte, or the phones are swapped.

Whatever happens, what is told is true of what the simulated phone met: `accepted` only by Android's word, `refused` and
"not now" only where no order arrived, and no phone is erased but the one that was named.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import identity, wipe, wire
from agent.boxes import Boxes
from agent.inbox import Inbox
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.sweep import Serials
from agent.transport_tcp import TcpTransport
from tests.agent.wipe_rig import PIN, WipeRig
from tests.support.killing import Watched, killed_at_any_moment, killed_at_each_step
from tests.support.orders import before_call, shortened

ROUNDS = int(os.environ.get("BUTLER_PROVE_WIPE", "5"))
_WATCHED: Watched = [
    (Inbox, "next"),
    (Inbox, "start"),
    (Inbox, "tell"),
    (Inbox, "left_s"),
    (Boxes, "take"),
    (wire, "open_box"),
    (identity, "open_transport"),
    (identity, "read_snapshot"),
    (TcpTransport, "run"),
    (TcpTransport, "close"),
    (wipe, "cleared_code"),
    (wipe, "enable_code"),
    (Inbox, "finish"),
]


def _order(rig: WipeRig) -> wire.Command:
    phone = rig.phones[0]
    phone.lock_pin, phone.lock_tries, phone.wrong_pins, phone.wipe_orders, phone.resets = PIN, 0, 0, 0, 0
    command = rig.command(texts={"old": PIN})
    rig.receive(command)
    return command


def _true_of(rig: WipeRig, told: tuple[str, dict[str, Any]]) -> None:
    phone = rig.phones[0]
    assert (phone.wipe_orders, phone.resets) in ((0, 0), (1, 1)), "at most one order, ever"
    assert phone.lock_tries <= 1
    if told[0] == "succeeded":
        assert phone.resets == 1
    elif told[0] == "failed":
        assert told[1]["outcome"] == "unknown", told
    else:
        assert phone.wipe_orders == 0, told
    if phone.wipe_orders:
        assert "sent" in rig.stages, "who reads the disk after a kill knows that the order may have left"
        assert told[0] in ("succeeded", "failed"), told


def test_killed_at_each_step(tmp_path: Path) -> None:
    seen = set()
    with WipeRig(tmp_path).up() as rig:
        for *_, told in killed_at_each_step(rig, _WATCHED, lambda _: _order(rig)):
            _true_of(rig, told)
            seen.add((told[1].get("outcome"), rig.resets[0]))
    assert seen == {("unknown", 0), ("unknown", 1), ("accepted", 1)}


def test_killed_at_any_moment(tmp_path: Path) -> None:
    with WipeRig(tmp_path).up() as rig:
        for *_, told in killed_at_any_moment(rig, ROUNDS, 0.08, lambda: _order(rig), seed=6):
            _true_of(rig, told)


class Cable:
    """A cable to a phone that is cut after so many bytes, counted from the message that carries the order on."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.up: int | None = None
        self.down: int | None = None
        self._order = threading.Event()
        self.carried = {"up": 0, "down": 0}
        self.order_bytes = 0
        self.carriers: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, *, up: int | None = None, down: int | None = None) -> None:
        self.up, self.down = up, down
        self._order = threading.Event()
        self.carried = {"up": 0, "down": 0}

    def settle(self) -> None:
        """What was under way has arrived, or never will."""
        while self.carriers:
            self.carriers.pop().join()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for way, source, sink in (("up", near, far), ("down", far, near)):
                    carrier = threading.Thread(target=self._carry, args=(way, source, sink), daemon=True)
                    self.carriers.append(carrier)
                    carrier.start()

    def _carry(self, way: str, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                limit = self.up if way == "up" else self.down
                if not self._order.is_set():
                    at = data.find(b"shell,v2,raw:[") if way == "up" else -1
                    if at < 0:
                        sink.sendall(data)
                        continue
                    self.order_bytes = data.index(b"\0", at) + 1 - at
                    self._order.set()
                    # Its header went before; of the message itself every byte counts.
                    sink.sendall(data[:at])
                    data = data[at:]
                left = len(data) if limit is None else limit - self.carried[way]
                sink.sendall(data[:left])
                self.carried[way] += min(len(data), left)
                if limit is not None and left <= len(data):
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def cabled(tmp_path: Path) -> Iterator[tuple[WipeRig, Cable]]:
    with WipeRig(tmp_path).up() as rig:
        cable = Cable(rig.fleet.ports[0])
        rig.phones[0].reset_after_s = 0.03
        rig.targets = [f"tcp:127.0.0.1:{cable.port}"]
        rig.serials = Serials({rig.targets[0]: rig.phones[0].identity.serial})
        yield rig, cable
        cable.close()


def _cut_run(rig: WipeRig, cable: Cable, **cut: Any) -> tuple[str, dict[str, Any]]:
    rig.phones[0].wipe_orders = rig.phones[0].resets = 0
    cable.cut_after(**cut)
    told = rig.order(rig.command())
    cable.settle()
    rig.settle()
    _true_of(rig, told)
    assert "sent" in rig.stages, cut
    return told


def test_the_cable_is_cut_at_each_byte_of_the_order_and_of_its_answer(cabled: tuple[WipeRig, Cable]) -> None:
    rig, cable = cabled
    assert _cut_run(rig, cable)[0] == "succeeded"
    order, down = cable.order_bytes, cable.carried["down"]
    assert order > 150, "the whole line of the order"
    assert down > 50, "its answer with the exit code"
    arrived = set()
    for at in (*range(0, order, 7), *range(order - 2, order + 48, 5)):
        told = _cut_run(rig, cable, up=at)
        arrived.add(rig.phones[0].wipe_orders)
        assert (told[0], rig.resets) == ("failed", [0]) or at >= order, (at, told)
    outcomes = set()
    for at in (*range(0, down, 3), down):
        told = _cut_run(rig, cable, down=at)
        outcomes.add((told[1]["outcome"], rig.resets[0]))
    assert arrived == {0, 1}
    assert ("unknown", 1) in outcomes, "it had the order before the answer was lost"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.HANG, FaultPoint.OPEN),
        Fault(FaultKind.HANG, FaultPoint.OUTPUT, 0),
        Fault(FaultKind.HANG, FaultPoint.OUTPUT, 3),
        Fault(FaultKind.DROP, after_bytes=0),
        Fault(FaultKind.DROP, after_bytes=5),
        Fault(FaultKind.GARBAGE, FaultPoint.OUTPUT, size=64),
        Fault(FaultKind.GARBAGE, FaultPoint.WIRE, size=64),
        Fault(FaultKind.EMPTY),
        Fault(FaultKind.FLOOD, size=4096),
    ],
)
@pytest.mark.parametrize("call", range(4))
def test_a_fault_sets_in_before_each_call(tmp_path: Path, monkeypatch: Any, fault: Fault, call: int) -> None:
    """Calls: snapshot, block, service, order. A fault of a look is no order; one of the order may be one."""
    shortened(monkeypatch, 0.15, (wipe, "ORDER_S"), (wipe, "ASK_S"))
    shortened(monkeypatch, 0.3 if call == 0 else 10.0, (identity, "READ_S"))
    with WipeRig(tmp_path).up() as rig:
        before_call(monkeypatch, call, lambda: rig.fleet.set_fault(0, fault))
        told = rig.order(rig.command())
        rig.fleet.set_fault(0, None)
        rig.settle()
        if fault.kind == FaultKind.EMPTY and call == 3:
            # A phone that says yes and does nothing: only a later look finds it out.
            assert told[0] == "succeeded"
        else:
            _true_of(rig, told)
            assert (told[0] in ("failed", "succeeded")) == (call == 3), told


@pytest.mark.parametrize("call", range(6))
@pytest.mark.parametrize("same_connection", [True, False])
def test_cables_swapped_before_each_call_erase_nobody_else(
    tmp_path: Path, monkeypatch: Any, call: int, same_connection: bool
) -> None:
    """Two phones of one make; before call N the agent's connection, old or new, leads to the other phone."""
    with WipeRig(tmp_path, 2).up() as rig:
        rig.phones[0].lock_pin = rig.phones[1].lock_pin = PIN
        before_call(monkeypatch, call, rig.swap, elsewhere=same_connection)
        told = rig.order(rig.command(0, texts={"old": PIN}))
        rig.settle()
        assert (rig.phones[1].wipe_orders, rig.phones[1].lock_tries, rig.phones[1].lock_pin) == (0, 0, PIN)
        if call < 5:
            assert rig.phones[0].resets == 0, told
            assert told != ("succeeded", {"outcome": "accepted"})
        _true_of(rig, told)


def test_a_phone_that_took_anothers_serial_is_not_taken_for_it(tmp_path: Path) -> None:
    with WipeRig(tmp_path, 2).up() as rig:
        sent = rig.command(0)
        rig.phones[1].identity.serial = rig.phones[0].identity.serial
        rig.fleet.power_off(0)
        rig.serials = Serials({rig.targets[1]: rig.phones[0].identity.serial})
        assert rig.order(sent) == ("refused", {"reason": "expect"})
        assert rig.resets == [0, 0]
