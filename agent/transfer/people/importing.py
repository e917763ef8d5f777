"""Opens a vCard file on the new phone's screen, waits for a person's tap and for the import to come to rest."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent.clock import Steady
from agent.errors import TransportError
from agent.transfer.parts import TAP_NEEDED, PartProgress
from agent.transfer.people.book import DATA, RAW
from agent.transfer.people.provider import NotRead, Provider

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


@dataclass
class Import:
    """`token` names this transfer's files; `wait_s` is how long a person has to tap."""

    provider: Provider
    token: str
    wait_s: float
    clock: Steady
    sleep: Callable[[float], None]

    def names(self) -> list[str]:
        """The files that any run of this transfer may have left on the phone."""
        return [f"{FOLDER}/butler-{self.token}-{number}.vcf" for number in range(_FILES)]

    def clean(self) -> None:
        """Remove them: an import that was asked for earlier and not tapped yet then finds nothing."""
        self.provider.transport.run("rm -f " + " ".join(self.names()), _ASK_S)

    def run(self, cards: Iterable[bytes], number: int, expected: int, progress: PartProgress) -> str | None:
        """Import these cards; None, or why nothing came of it: `not_tapped`, `no_import`. Raise `NotRead`,
        `TransportError`. How many really came, only a new reading tells.
        """
        path = self.names()[number % _FILES]
        before = len(self.provider.ids(RAW, "deleted=0"))
        try:
            self.provider.transport.send(cards, path, _SEND_S)
            reason = self._wait(before, expected, progress) if self._open(path) else "no_import"
        except TransportError:
            # The phone is out of reach: the next run removes the file first thing.
            raise
        except BaseException:
            self.clean()
            raise
        self.clean()
        return reason

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

    def _wait(self, before: int, expected: int, progress: PartProgress) -> str | None:
        """Look at the number of contacts until it has grown as it should, or rests, or nobody tapped in time."""
        begun = self.clock()
        last, quiet = before, 0
        while True:
            now = len(self.provider.ids(RAW, "deleted=0"))
            quiet = quiet + 1 if now == last else 0
            last = now
            if now >= before + expected or (now > before and quiet >= _QUIET_POLLS):
                return None
            if now <= before and self.clock() - begun > self.wait_s:
                return "not_tapped"
            progress(max(0, now - before), expected, TAP_NEEDED if now <= before else None)
            self.sleep(_POLL_S)


def settled(
    provider: Provider, clock: Steady, sleep: Callable[[float], None], limit_s: float = 300.0
) -> None:
    """Wait until the contacts have stopped to grow: what an earlier run began may still be at work on the phone.

    Raise `NotRead` (`changing`) when it does not end, `TransportError`.
    """
    begun = clock()
    last = provider.ids(RAW), provider.ids(DATA)
    for _ in range(_QUIET_POLLS):
        while True:
            sleep(_POLL_S)
            now = provider.ids(RAW), provider.ids(DATA)
            if now == last:
                break
            last = now
            if clock() - begun > limit_s:
                raise NotRead("changing")
