"""Kind `inspect_phone`: one whole reading of what shows whether a phone was erased. Changes nothing on it."""

from __future__ import annotations

from dataclasses import dataclass

from agent import wire
from agent.errors import TransportError
from agent.evidence import evidence
from agent.identity import Held, NotAtHand, PhoneAtHand
from agent.inbox import Outcome
from agent.parsers import Unreadable
from agent.parsers.frames import parse_frames
from agent.parsers.power import parse_boot_id
from agent.parsers.props import parse_props
from agent.phone import inspect_command
from agent.snapshot_parts import Json, SectionReader

READ_S = 90.0


@dataclass(frozen=True)
class InspectPhone:
    at_hand: PhoneAtHand

    def __call__(self, command: wire.Command) -> Outcome:
        """`succeeded` with `{"evidence": …}`; `not_now` and why it did not answer, which may be evidence, too."""
        try:
            with self.at_hand(command, safe=False) as held:
                return Outcome("succeeded", {"evidence": _read(held)})
        except NotAtHand as exc:
            return Outcome("refused" if exc.reason == "other_phone" else "not_now", {"reason": exc.reason})
        except TransportError as exc:
            return Outcome("not_now", {"reason": exc.reason})


def _read(held: Held) -> Json:
    """Raise `NotAtHand` when it is not surely one phone in one boot that told both, `TransportError`."""
    command, nonce = inspect_command()
    result = held.transport.run(command, READ_S)
    reader = SectionReader(parse_frames(result.stdout, nonce))
    try:
        serial = parse_props(reader.text("props")).get("ro.serialno", "").strip()
        boot_id = parse_boot_id(reader.text("boot_id"))
    except Unreadable:
        raise NotAtHand("identity") from None
    if serial and serial != held.identity["serial"]:
        raise NotAtHand("other_phone")
    power = held.snapshot.body["power"]
    if power is None or boot_id != power["boot_id"]:
        # It was started anew meanwhile: the next look finds it whole.
        raise NotAtHand("dropped")
    return evidence(held.snapshot.body, reader, held.transport.link)
