"""Is it the phone that was named? Asked of a phone itself, before anything is done to it.

`judge_identity` decides, `PhoneAtHand` finds the phone, asks it and keeps hold of it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from agent.clock import Steady
from agent.commands import HAND_WAIT_S, candidates
from agent.errors import KeyFileError, TransportError
from agent.hands import Hands
from agent.parsers.identity import is_imei, is_serial
from agent.snapshot import Snapshot, read_snapshot
from agent.sweep import Serials
from agent.transport import Link, Transport, TransportOptions, open_transport

SAFE_LINKS: frozenset[Link] = frozenset({"usb", "tls", "loopback"})
READ_S = 60.0
Verdict = Literal["same", "other_phone", "identity", "no_imei"]


class NamedPhone(Protocol):
    """What names a phone: a `wire.Command` does, and `Named`."""

    @property
    def serial(self) -> str: ...

    @property
    def imei(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Named:
    """A phone beside the command's own, such as the new one of a transfer."""

    serial: str
    imei: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """How the named phone was when its order was decided. `boot_id` None: whatever its boot.

    A serial can be flashed and an IMEI copied; an `android_id` nobody chooses, and only a reset changes it.
    """

    android_id: str
    boot_id: str | None = None


class NotAtHand(Exception):
    """The named phone could not be taken in hand; nothing was done to any. `reason` is a code: a `TransportError`'s,
    or `not_seen busy unauthorized plaintext identity no_imei other_phone expect`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def judge_identity(
    told: Mapping[str, Any] | None, named: NamedPhone, *, imei_typed: str | None, strict: bool
) -> Verdict:
    """Whether a phone that told `told` (a snapshot's `identity`) is the named one.

    `other_phone`: a serial or IMEI contradicts. `identity`: it told no serial, or one that many phones share.
    Where a phone hides its IMEI, its serial is enough, but for `strict`: then `no_imei`, unless `imei_typed`, which
    somebody read off its screen, is one of the named. What was typed is never of use against what the phone tells.
    """
    serial = (told or {}).get("serial")
    if not isinstance(serial, str) or not (is_serial(serial) and is_serial(named.serial)):
        return "identity"
    wanted = set(named.imei)
    shown = {imei for imei in (told or {}).get("imei") or () if isinstance(imei, str) and is_imei(imei)}
    typed = {imei_typed} if imei_typed is not None and is_imei(imei_typed) else set()
    if serial != named.serial or (wanted and shown and not shown & wanted):
        return "other_phone"
    if not strict:
        return "same"
    if typed and not typed <= wanted:
        return "other_phone"
    return "same" if (shown or typed) & wanted else "no_imei"


def expected_of(args: Mapping[str, Any]) -> Expected | None:
    """`expect` of a command's arguments; None where it names no `android_id`: such an order was decided on no phone
    that anybody had met. Raise `TypeError` for what is not understood.
    """
    given = args.get("expect", {})
    if not isinstance(given, dict):
        raise TypeError("expect")
    android_id, boot_id = given.get("android_id"), given.get("boot_id")
    if not (isinstance(android_id, str | None) and isinstance(boot_id, str | None)):
        raise TypeError("expect")
    return Expected(android_id, boot_id) if android_id else None


def judge_expected(body: Mapping[str, Any], expected: Expected) -> Literal["same", "identity", "expect"]:
    """Whether a phone of which a snapshot's `body` was read is still as it was. `identity`: it did not tell.

    `expect` may be another phone that took the named one's serial, or the named one after a reset.
    """
    told, power = (body["identity"] or {}).get("android_id"), body["power"]
    if not told or power is None:
        return "identity"
    same_boot = expected.boot_id in (None, power["boot_id"])
    return "same" if told == expected.android_id and same_boot else "expect"


@dataclass(frozen=True, slots=True)
class Held:
    """A phone that is the named one, by what it told in `snapshot` over this very transport."""

    transport: Transport
    snapshot: Snapshot

    @property
    def identity(self) -> Mapping[str, Any]:
        """The snapshot's `identity`, which is whole."""
        identity: Mapping[str, Any] = self.snapshot.body["identity"]
        return identity

    @property
    def sdk(self) -> int | None:
        """The Android version as a number; None where the phone does not tell."""
        sdk = self.identity.get("sdk")
        return sdk if isinstance(sdk, int) else None


@dataclass(frozen=True)
class PhoneAtHand:
    """`targets` is the present list of the sweep; `options.clock` is `clock`."""

    options: TransportOptions
    hands: Hands
    serials: Serials
    targets: Callable[[], Sequence[str]]
    clock: Steady
    hand_wait_s: float = HAND_WAIT_S

    @contextmanager
    def __call__(
        self, named: NamedPhone, *, expected: Expected | None = None, imei_typed: str | None = None,
        strict: bool = False, safe: bool = True,
    ) -> Iterator[Held]:  # fmt: skip
        """Hold the named phone inside the block; nobody else of this agent reads it meanwhile. Raise `NotAtHand`.

        `expected`: only as it was then. `safe`: only over a link on which nobody can listen in or answer in the
        phone's place. What goes wrong inside the block is the block's own.
        """
        reasons = []
        for target in candidates(named.serial, self.serials, self.targets()):
            with ExitStack() as stack:
                try:
                    held = self._taken(stack, target, named, imei_typed, strict=strict, safe=safe)
                    verdict = "same" if expected is None else judge_expected(held.snapshot.body, expected)
                    if verdict != "same":
                        raise NotAtHand(verdict)
                except NotAtHand as exc:
                    reasons.append(exc.reason)
                    continue
                yield held
                return
        # Of several ways to the phone the one that somebody can mend at once is told, or has to hear of.
        told = next((reason for reason in ("plaintext", "expect") if reason in reasons), None)
        raise NotAtHand(told or (reasons or ["not_seen"])[-1])

    def _taken(
        self, stack: ExitStack, target: str, named: NamedPhone, imei_typed: str | None, *, strict: bool, safe: bool
    ) -> Held:  # fmt: skip
        if not stack.enter_context(self.hands.take(self.serials.hand(target), self.hand_wait_s)):
            raise NotAtHand("busy")
        try:
            transport = stack.enter_context(open_transport(target, self.options))
            if safe and transport.link not in SAFE_LINKS:
                raise NotAtHand("plaintext")
            snapshot = read_snapshot(transport, history=False, clock=self.clock, deadline_s=READ_S)
        except TransportError as exc:
            raise NotAtHand(exc.reason) from None
        except KeyFileError:
            raise NotAtHand("unauthorized") from None
        if not snapshot.whole:
            # What it told until then may be enough to know it, and is not enough to act on.
            raise NotAtHand("dropped")
        verdict = judge_identity(snapshot.body["identity"], named, imei_typed=imei_typed, strict=strict)
        if verdict != "same":
            raise NotAtHand(verdict)
        return Held(transport, snapshot)
