"""What a transfer that was given up halfway leaves on a phone, and how it goes."""

from __future__ import annotations

from agent.errors import TransportError
from agent.identity import NamedPhone, NotAtHand, PhoneAtHand
from agent.transfer.engine import token_of
from agent.transfer.people.importing import ANY_CARDS
from agent.transfer.phone import ASK_S, ROOT, PhoneFiles, stage_of
from agent.transport import Transport


def tidied(at_hand: PhoneAtHand, named: NamedPhone, transfer: str) -> str:
    """`clean`, `left`, or the code of why the phone could not be looked at."""
    try:
        with at_hand(named) as held:
            return "clean" if tidy(held.transport, token_of(transfer)) else "left"
    except (NotAtHand, TransportError) as exc:
        return exc.reason


def tidy(transport: Transport, token: str) -> bool:
    """Remove half-written files, lists of names, and contacts that wait to be imported; whether nothing is left.

    Nothing that has its place on the phone is touched. Raise `TransportError`.
    """
    PhoneFiles(transport, token).remove(stage_of(token))
    said = transport.run(
        f"rm -f {ANY_CARDS}; ls -d {ROOT}/{stage_of(token)} {ANY_CARDS} 2>/dev/null; true", ASK_S
    )
    return said.exit_code == 0 and not said.stdout.strip()
