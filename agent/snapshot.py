"""A phone's whole state, read over one stream: `read_snapshot` for the sweep, `agent snapshot TARGET` for
people.

In `unread` a section that is missing stands by its name (`sim`), a part of one with a dot:
`power.boot_count`, `packages.user.10` (that user was not inspected), `packages.details` (version names, signers
and suspension), `security.device_owner`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.cli_options import add_transport_arguments, number, transport_options
from agent.clock import Steady, steady
from agent.errors import BadTarget, KeyFileError, TransportError, Unauthorised
from agent.parsers import Unreadable
from agent.parsers.frames import Frames, parse_frames
from agent.parsers.journal import JournalContact, parse_journal
from agent.phone import snapshot_command
from agent.snapshot_packages import packages_part
from agent.snapshot_parts import (
    Json,
    SectionReader,
    accounts_part,
    identity_part,
    power_history_part,
    power_part,
    setup_part,
    sim_part,
    storage_part,
    users_part,
)
from agent.snapshot_security import security_part
from agent.transport import CommandResult, Transport, open_transport

if TYPE_CHECKING:
    from agent.known_packages import KnownPackages

SCHEMA = 1
DEADLINE_S = 90.0

EXIT_READ, EXIT_ARGUMENTS, EXIT_UNREACHABLE, EXIT_UNAUTHORISED, EXIT_NO_PROOF = 0, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`body` is the Snapshot JSON. `read_at` is the instant on the agent's steady clock at which `uptime_s`
    held.

    It is the receipt of the first output: the script prints the uptime before it starts any process, so that
    instant is late by one trip back from the phone and never early, however long the phone took to wake up
    and open the stream. A midpoint between request and receipt would put half of that wait into the error.
    `waited_s`, from request to receipt, bounds the error. `journal` is what the on-phone journal gave, None where
    there is none that could be read; `whole`: the phone came to its end.
    """

    body: Json
    read_at: float
    waited_s: float
    journal: JournalContact | None = None
    whole: bool = True

    @property
    def identified(self) -> bool:
        """Whether the phone told a serial of its own."""
        identity = self.body["identity"]
        return identity is not None and identity["serial"] is not None

    @property
    def proves_on(self) -> bool:
        """Whether boot id and uptime were read."""
        return self.body["power"] is not None


def read_snapshot(
    transport: Transport,
    *,
    hmac_key: bytes | None = None,
    collected: Sequence[str] = (),
    history: bool = True,
    known: KnownPackages | None = None,
    clock: Steady = steady,
    deadline_s: float = DEADLINE_S,
) -> Snapshot:
    """Read everything in one stream. `clock` is the transport's own. Raise `TransportError`.

    `collected` names files of the phone's journal that are on our disk: the phone removes them.
    Without `history` its own records of its power are not asked for: they are long and change with a boot only.
    With `known` the `packages` of the body are canonical JSON: those of the same texts are not read again.

    An answer that was cut is used as far as it went if it proves the phone on; the rest stands in `unread`.
    """
    command, nonce = snapshot_command(collected=collected, history=history)
    ended = None
    try:
        result = transport.run(command, deadline_s)
    except TransportError as exc:
        if exc.partial is None or not _proof(exc.partial, nonce):
            raise
        result, ended = exc.partial, str(exc.reason)
    frames = parse_frames(result.stdout, nonce)
    body = assemble(frames, hmac_key=hmac_key, ended=ended, history=history, known=known)
    received = clock() if result.first_output_at is None else result.first_output_at
    return Snapshot(body, received, received - result.opened_at, _journal(frames, body), ended is None)


def _journal(frames: Frames, body: Json) -> JournalContact | None:
    """A section that was cut is none: what it had printed is printed again next time."""
    section = frames.sections.get("journal")
    serial = (body["identity"] or {}).get("serial")
    if section is None or serial is None:
        return None
    try:
        return parse_journal(section.text, serial)
    except Unreadable:
        return None


def _proof(partial: CommandResult, nonce: str) -> bool:
    return {"uptime", "boot_id", "getprop"} <= parse_frames(partial.stdout, nonce).sections.keys()


def assemble(
    frames: Frames,
    *,
    hmac_key: bytes | None = None,
    ended: str | None = None,
    history: bool = False,
    known: KnownPackages | None = None,
) -> Json:
    """The Snapshot JSON of one reading. `ended` is why the output is not whole, where that is known.

    `power_history` is there only where it was asked for.
    """
    reader = SectionReader(frames, ended)
    props = reader.props()
    secure = reader.settings("secure", "setup.secure_settings")
    settings = reader.settings("global", "setup.global_settings")
    identity = identity_part(reader, props, secure)
    users = users_part(reader)
    sdk = identity["sdk"] if identity else None
    inspected = [user["id"] for user in users] if users else [0]
    return {
        "schema": SCHEMA,
        "identity": identity,
        "power": power_part(reader, props, settings),
        "packages": packages_part(reader, inspected) if known is None else known.part(reader, inspected),
        "accounts": accounts_part(reader, hmac_key),
        "users": users,
        "sim": sim_part(reader, props),
        "setup": setup_part(reader, settings, secure, sdk),
        "storage": storage_part(reader),
        "security": security_part(reader, props, secure, sdk),
        **({"power_history": power_history_part(reader)} if history else {}),
        "unread": reader.unread,
    }


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The subcommand `snapshot`."""
    parser = commands.add_parser("snapshot", help="读取一部手机的全部状态，输出 JSON")
    parser.add_argument("target", metavar="TARGET", help="tcp:HOST:PORT 或 server:SERIAL")
    parser.add_argument(
        "--timeout", type=number(0.1, 3600), default=DEADLINE_S, metavar="S", help="读取的总时限（秒）"
    )
    add_transport_arguments(parser)
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Print one phone's snapshot; the exit code says how it went."""
    try:
        with open_transport(args.target, transport_options(args)) as transport:
            snapshot = read_snapshot(transport, deadline_s=args.timeout)
    except BadTarget as exc:
        return _fail(EXIT_ARGUMENTS, f"目标写法不对：{exc}")
    except KeyFileError as exc:
        return _fail(EXIT_ARGUMENTS, f"ADB 密钥不能用：{exc}")
    except Unauthorised as exc:
        return _fail(EXIT_UNAUTHORISED, f"手机未授权本机，请在手机上点“允许”：{exc}")
    except TransportError as exc:
        return _fail(EXIT_UNREACHABLE, f"读不到手机：{exc}")
    sys.stdout.write(json.dumps(snapshot.body, ensure_ascii=False, indent=1) + "\n")
    if not (snapshot.identified and snapshot.proves_on):
        return _fail(EXIT_NO_PROOF, "手机有应答，但身份或开机状态没有读到，见 unread")
    return EXIT_READ


def _fail(code: int, message: str) -> int:
    sys.stderr.write(message + "\n")
    return code
