"""Opens a vCard file on the new phone's screen, waits for a person's tap and for the import to come to rest."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.clock import Steady
from agent.errors import Refused, TransportError
from agent.transfer.parts import TAP_NEEDED, PartProgress
from agent.transfer.people.book import DATA, RAW
from agent.transfer.people.gains import Gains
from agent.transfer.people.provider import NotRead, Provider
from agent.transfer.phone import WRITE_BLOCK, PhoneFiles

FOLDER = "/sdcard/Download"
ANY_CARDS = f"{FOLDER}/butler-{'[0-9a-f]' * 8}-[0-7].vcf"
"""What the phone's shell finds of any transfer's files: they hold everybody's numbers."""
_REAL_FOLDER = "/storage/emulated/0/Download"
_MEDIA = "content://media/external/file"
_SEND_S = 3600.0
_ASK_S = 60.0
_POLL_S = 3.0
_QUIET_POLLS = 4
"""An import that grew by nothing for so many looks has ended, well or not."""
_FILES = 8


@dataclass(frozen=True)
class Cards:
    """A vCard file to be imported: which of this transfer's it is, its bytes from any place on, how many it has, how
    many contacts are in it.
    """

    number: int
    read: Callable[[int], Iterator[bytes]]
    size: int
    contacts: int


@dataclass
class Import:
    """`token` names this transfer's files; `wait_s` is how long a person has to tap."""

    provider: Provider
    token: str
    wait_s: float
    gains: Gains
    clock: Steady
    sleep: Callable[[float], None]

    def name(self, number: int) -> str:
        """The phone's file of one import of this transfer."""
        return f"{FOLDER}/butler-{self.token}-{number % _FILES}.vcf"

    def clean(self, unopened: int | None = None) -> None:
        """Remove the files that any run of this transfer may have left on the phone, but for that of an import that was
        not opened yet: one that was, and not tapped, then finds nothing.
        """
        kept = None if unopened is None else self.name(unopened)
        names = [name for name in map(self.name, range(_FILES)) if name != kept]
        self.provider.transport.run("rm -f " + " ".join(names), _ASK_S)

    def run(self, cards: Cards, progress: PartProgress, opening: Callable[[], None]) -> str | None:
        """Import these cards; None, or why nothing came of it: `not_tapped`, `no_import`. Raise `NotRead`,
        `TransportError`. How many really came, only a new reading tells.

        `opening` is called when the file is whole, before the screen opens it.
        """
        try:
            self._send(cards, progress)
            # What was there before is known by its number.
            self.provider.grown(RAW)
            opening()
            opened = self._open(self.name(cards.number))
            reason = self._wait(cards.contacts, progress) if opened else "no_import"
        except TransportError:
            # The phone is out of reach: the next run goes on, or removes the file first thing.
            raise
        except BaseException:
            self.clean()
            raise
        self.clean()
        return reason

    def _send(self, cards: Cards, progress: PartProgress) -> None:
        """Write the file on from where it is."""
        transport, path = self.provider.transport, self.name(cards.number)
        files = PhoneFiles(transport, self.token)
        self.gains.sent = have = min(files.size(path), cards.size)
        if have == cards.size:
            return
        start = have // WRITE_BLOCK * WRITE_BLOCK
        try:
            files.write_at(path, start, _told(cards.read(start), progress), _SEND_S)
        except Refused:
            # A phone that cannot be fed gets the file in one piece.
            transport.send(_told(cards.read(0), progress), path, _SEND_S)

    def _open(self, path: str) -> bool:
        """From Android 10 on the import screen may not read a file by its path, only by the media provider's number."""
        transport = self.provider.transport
        real = path.replace(FOLDER, _REAL_FOLDER)
        transport.run(f"content call --uri {_MEDIA} --method scan_file --arg {shlex.quote(real)}", _ASK_S)
        uri = f"file://{path}"
        try:
            found = self.provider.ids(_MEDIA, f"_data='{real}'")
            uri = f"{_MEDIA}/{found[0]}" if found else uri
        except NotRead:
            found = []
        result = transport.run(
            f"am start -a android.intent.action.VIEW -d {uri} -t text/x-vcard --grant-read-uri-permission",
            _ASK_S,
        )
        return b"Error" not in result.stdout + result.stderr

    def _wait(self, expected: int, progress: PartProgress) -> str | None:
        """Look at the number of new contacts until it has grown as it should, or rests, or nobody tapped in time."""
        begun, new = self.clock(), f"_id>{self.provider.memo.greatest.get(RAW, 0)} AND deleted=0"
        last, quiet = 0, 0
        while True:
            now = len(self.provider.ids(RAW, new))
            quiet = quiet + 1 if now == last else 0
            last = now
            if now >= expected or (now and quiet >= _QUIET_POLLS):
                return None
            if not now and self.clock() - begun > self.wait_s:
                return "not_tapped"
            progress(now, expected, None if now else TAP_NEEDED)
            self.sleep(_POLL_S)


def settled(
    provider: Provider, clock: Steady, sleep: Callable[[float], None], limit_s: float = 300.0
) -> None:
    """Wait until the contacts have stopped to grow: what an earlier run began may still be at work on the phone.

    Raise `NotRead` (`changing`) when it does not end, `TransportError`.
    """
    begun = clock()
    _grown(provider)
    for _ in range(_QUIET_POLLS):
        while True:
            sleep(_POLL_S)
            if not _grown(provider):
                break
            if clock() - begun > limit_s:
                raise NotRead("changing")


def _grown(provider: Provider) -> bool:
    return any([provider.grown(RAW), provider.grown(DATA)])


def _told(chunks: Iterator[bytes], progress: PartProgress) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        progress(0, None)
