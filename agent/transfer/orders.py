"""What the server's order for a transfer says, checked: a signed order may still be wrong."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.identity import Expected, Named, NamedPhone, expected_of
from agent.transfer.engine import Order

PARTS = ("files", "contacts", "calls", "messages")
_ROOTS = ("/sdcard/", "/storage/emulated/0/")
_MOST_FOLDERS = _MOST_GLOBS = 50
_KEY_BYTES = 32


class BadOrder(ValueError):
    """Not what `docs/wire.md` says of this kind's args."""


@dataclass(frozen=True, slots=True)
class End:
    """A phone that the data comes from or goes to. `expected` None: the server has not met it yet."""

    phone: NamedPhone
    expected: Expected | None


def parse(command: wire.Command) -> tuple[Order, End, End]:
    """The order, the old phone and the new one. Raise `BadOrder`."""
    args = command.args
    try:
        limits = dict(args["limits"])
        order = Order(
            command=command.id,
            transfer=transfer_id(args),
            parts=tuple(name for name in PARTS if name in _texts(args["parts"])),
            folders=tuple(dict.fromkeys(_folder(folder["path"]) for folder in args["folders"])),
            exclude=tuple(_texts(args["exclude"])),
            max_file_bytes=_whole(limits["max_file_bytes"], 1, 2**50),
            keep_days=_whole(args["keep_days"], 1, 366),
            limits=limits,
        )
        new = successor(args)
        ends = expected_of(args), expected_of(args["new"] or {})
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise BadOrder("the order's args are not understood") from exc
    if new is None or not order.parts or max(len(order.folders), len(order.exclude)) > _MOST_FOLDERS:
        raise BadOrder("nothing to move, or too many folders")
    if new.serial == command.serial:
        raise BadOrder("the new phone is the old one")
    return order, End(command, ends[0]), End(new, ends[1])


def transfer_id(args: dict[str, Any]) -> str:
    """Raise `ValueError`, `KeyError`."""
    return str(uuid.UUID(str(args["transfer"])))


def successor(args: dict[str, Any]) -> Named | None:
    """The phone that the data goes to; None where the order names none. Raise `BadOrder`, `KeyError`, `TypeError`."""
    new = args["new"]
    return None if new is None else Named(str(new["serial"]), tuple(_texts(new["imei"])))


def copy_key(box: object, command: wire.Command, key: X25519PrivateKey) -> bytes:
    """The key of the copy, out of the command's box. Raise `wire.BoxRejected`."""
    texts = wire.open_box(box, key, command=command.id, agent=command.agent, serial=command.serial)
    try:
        raw = base64.b64decode(texts.get("key", ""), validate=True)
    except (ValueError, binascii.Error) as exc:
        raise wire.BoxRejected("no key in the box") from exc
    if len(raw) != _KEY_BYTES:
        raise wire.BoxRejected("no key in the box")
    return raw


def _folder(path: str) -> str:
    """Relative to the shared storage's root."""
    root = next((root for root in _ROOTS if path.startswith(root)), None)
    rest = path.removeprefix(root or "").rstrip("/")
    names = rest.split("/")
    if root is None or not rest or any(name in {"", ".", ".."} for name in names) or not rest.isprintable():
        raise BadOrder("a folder outside the shared storage")
    return rest


def _texts(values: object) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadOrder("no list of texts")
    return values


def _whole(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise BadOrder("a number out of its range")
    return value
