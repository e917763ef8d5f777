"""Contacts' photos, one at a time: several thousand of them would not fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.transfer.parts import PartProgress, PartStore
from agent.transfer.people.gains import Gains
from agent.transfer.people.provider import CONTACTS, refusal, whole
from agent.transport import Transport

WRITE_SINCE = 28
"""The API level (Android 9) from which on `content` writes."""
_READ_S = 60.0
_HEADS = (b"\xff\xd8", b"\x89PNG")


def photo_name(number: int) -> str:
    """Where the store keeps the photo of the contact at this place."""
    return f"contacts.photo-{number}"


def read_photos(
    old: Transport, store: PartStore, lines: Sequence[dict[str, Any]], gains: Gains, progress: PartProgress
) -> int:
    """Read the photos that are not in the store yet; how many contacts there are. Raise `TransportError`.

    The large picture, else the small one. One that the phone does not give is left out, and is missing then.
    """
    for done, line in enumerate(lines):
        if line["photo"] and not store.has(photo_name(line["number"])):
            photo = _photo(old, line["raw"], line["contact"])
            if photo is not None:
                store.write(photo_name(line["number"]), [photo])
                gains.photos += 1
            progress(done, len(lines))
    return len(lines)


def _photo(old: Transport, raw: int, contact: int) -> bytes | None:
    for uri in (f"{CONTACTS}/raw_contacts/{raw}/display_photo", f"{CONTACTS}/contacts/{contact}/photo"):
        found = whole(old.run(f"content read --uri {uri}", _READ_S)).stdout
        if found.startswith(_HEADS):
            return found
    return None


def write_photo(new: Transport, raw: int, photo: bytes) -> str | None:
    """Give a contact its photo; None, or why the phone takes none. Whether it has it, only a new reading tells.

    Raise `TransportError`. Only for a phone since `WRITE_SINCE`.
    """
    command = f"content write --uri {CONTACTS}/raw_contacts/{raw}/display_photo"
    return refusal(new.feed(command, [photo], _READ_S))
