"""A gateway's worker with the transfer's kinds, at the phones of a rig, and a server that takes manifests."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.boxes import Boxes
from agent.clock import steady
from agent.commands import CommandWorker
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.inbox import Inbox, receive
from agent.longwork import LongWork
from agent.snapshot import Snapshot
from agent.sweep import Serials
from agent.transfer.kinds import DiscardKind, Running, TransferKind
from agent.transfer.manifest import PATH
from agent.transfer.stopping import StopKind
from agent.transport import Transport, TransportOptions
from tests.agent.builders import Box
from tests.agent.transfer.rig import KEY, TRANSFER, Rig

AGENT = "a1"
LIMITS = {"max_file_bytes": 2**35, "insert_rows": 200}
ORDER = "0197f000-0000-7000-8000-0000000000c1"


class Server:
    """Takes manifests, or does what it is told to."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.errors: list[Exception] = []

    def post(self, path: str, body: bytes, *, packed: bool = False) -> dict[str, Any]:
        if self.errors:
            raise self.errors.pop(0)
        assert (path, packed) == (PATH, True)
        page = json.loads(gzip.decompress(body))
        self.pages.append(page)
        return {"received": len(page["entries"])}


class Gateway:
    """A gateway's worker with the transfer's kinds, at the phones of a rig."""

    def __init__(self, rig: Rig, tmp_path: Path) -> None:
        self.rig = rig
        self.key = X25519PrivateKey.generate()
        self.server = Server()
        self.root = tmp_path / "transfers"
        self.box = Box(tmp_path / "spool.db")
        self.patience_s = 2.0
        self.targets = [rig.target(n) for n in range(3)]
        self.begin()

    def begin(self) -> None:
        """The agent's parts, as after a start."""
        rig = self.rig
        self.boxes = Boxes()
        self.serials = Serials({self.targets[n]: p.identity.serial for n, p in enumerate(rig.phones)})
        self.hands = Hands()
        at_hand = PhoneAtHand(
            TransportOptions(connect_s=5), self.hands, self.serials, lambda: self.targets, steady, 5.0
        )
        self.works = LongWork(self._finish, self.box.spool, self.box.clock, lambda: None)
        running = Running()
        move = TransferKind(
            self.key, self.boxes, at_hand, self.root, lambda: self.server, lambda names, limits, clock: [],
            running, steady, self.works.stopped, patience_s=self.patience_s,
        )  # fmt: skip
        stop = StopKind(self.works, running, at_hand, wait_s=10)
        kinds = {
            "stop_transfer": self.works.kind(stop, purpose=wire.COMMAND_PURPOSE, waits=False),
            "transfer_data": self.works.kind(move, purpose=wire.DANGER_PURPOSE),
            "discard_copy": self.works.kind(
                DiscardKind(self.root, running, at_hand, wait_s=10), purpose=wire.DANGER_PURPOSE
            ),
        }
        self.worker = CommandWorker(
            Inbox(self.box.database, self.box.clock), kinds, self.box.clock, on_result=lambda: None
        )

    def _finish(self, command_id: str, outcome: Any) -> None:
        self.worker.finish(command_id, outcome)

    def order(self, kind: str = "transfer_data", **changes: Any) -> wire.Command:
        old, new = (phone.identity for phone in self.rig.phones[:2])
        args = {
            "transfer": TRANSFER,
            "new": {"serial": new.serial, "imei": list(new.imeis)},
            "parts": ["files"],
            "folders": [{"path": "/sdcard/DCIM", "kind": "pictures", "label": "照片"}],
            "exclude": [".nomedia"],
            "limits": LIMITS,
            "keep_days": 7,
        }
        if kind == "stop_transfer":
            args = {"transfer": TRANSFER, "order": ORDER, "new": args["new"]}
            stop = wire.Command("s1", kind, AGENT, old.serial, tuple(old.imeis), args, 86_400)
            return replace(stop, **changes)
        if kind == "discard_copy":
            args = {"transfer": TRANSFER, "new": args["new"]}
        made = wire.Command(
            "c1", kind, AGENT, old.serial, tuple(old.imeis), args, 86_400, wire.DANGER_PURPOSE
        )
        return replace(made, **changes)

    def give(self, command: wire.Command, key: bytes | None = KEY) -> None:
        """Receive it and begin; with its box, unless `key` is None."""
        if key is not None and command.kind == "transfer_data":
            sealed = wire.seal_box(
                {"key": base64.b64encode(key).decode()}, self.key.public_key().public_bytes_raw(),
                command=command.id, agent=command.agent, serial=command.serial,
            )  # fmt: skip
            command = replace(command, args={**command.args, "sealed": sealed})
        with self.box.database.transaction() as db:
            receive(db, [self.boxes.put(command)], self.box.clock.now())
        self.worker.drain(threading.Event())

    def ended(self, seconds: float = 60) -> list[tuple[str, Any]]:
        """The last words of all works."""
        assert self.works.join(seconds)
        return [(r["state"], r["detail"]) for r in self.box.send()["results"] if r["state"] != "running"]

    def done(self, command: wire.Command, key: bytes | None = KEY) -> tuple[str, Any]:
        self.give(command, key)
        (result,) = self.ended()
        return result


def identity_alone(transport: Transport, **_: Any) -> Snapshot:
    """The serial and the IMEIs that the phone itself tells, in one command: a whole reading takes a second."""
    said = transport.run("getprop ro.serialno; getprop ro.ril.oem.imei1", 20).stdout.decode().split()
    return Snapshot({"identity": {"serial": said[0], "imei": said[1:], "sdk": 33}}, 0.0, 0.0)
