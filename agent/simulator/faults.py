"""What can go wrong with a simulated phone, set per phone and changeable while it runs."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """The fault; `Fault` says where or how much."""

    UNAUTHORISED = "unauthorised"
    HANG = "hang"
    DROP = "drop"
    REFUSE = "refuse"
    GARBAGE = "garbage"
    FLOOD = "flood"
    EMPTY = "empty"


class FaultPoint(StrEnum):
    """Where a hang or garbage sets in."""

    ACCEPT = "accept"
    CNXN = "cnxn"
    OPEN = "open"
    OUTPUT = "output"
    WIRE = "wire"


_POINTS = {
    FaultKind.HANG: {FaultPoint.ACCEPT, FaultPoint.CNXN, FaultPoint.OPEN, FaultPoint.OUTPUT},
    FaultKind.GARBAGE: {FaultPoint.OUTPUT, FaultPoint.WIRE},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    `unauthorised`: no key is accepted and nobody taps "allow". `hang`: silence from `at` on (`accept` reads
    nothing, `cnxn` never completes the handshake, `open` never answers a service, `output` stops after
    `after_bytes` of a stream's output). `drop`: the connection is reset after `after_bytes` of a stream's
    output. `refuse`: nothing listens. `garbage`: random bytes in place of command output (`output`) or of
    ADB messages (`wire`), `size` of them. `flood`: `size` bytes of text as output of every command.
    `empty`: no output and exit code 0. Raises ValueError where the parts do not belong together.
    """

    kind: FaultKind
    at: FaultPoint | None = None
    after_bytes: int = 0
    size: int = 64 * 1024

    def __post_init__(self) -> None:
        if self.after_bytes < 0 or self.size < 0:
            raise ValueError("after_bytes and size count bytes, so not below 0")
        allowed = _POINTS.get(self.kind)
        if self.at is not None and self.at not in (allowed or ()):
            raise ValueError(f"fault {self.kind} does not take at={self.at}")
        if allowed and self.at is None:
            raise ValueError(f"fault {self.kind} needs at, one of {', '.join(sorted(allowed))}")


def is_fault(fault: Fault | None, kind: FaultKind, at: FaultPoint | None = None) -> bool:
    """Whether `fault` is of this kind (and at this point, where one is given)."""
    return fault is not None and fault.kind is kind and (at is None or fault.at is at)
