"""Looking at one app on a phone in hand, and acting on it: each a single command line, guarded by who the phone is."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from agent.guard import GUARD_EXIT, guard
from agent.identity import Held
from agent.parsers.frames import Frames, parse_frames
from agent.parsers.packages import parse_names
from agent.parsers.removal import UNCLEAR, AppState, parse_app, said_code
from agent.snapshot_parts import SectionReader

LOOK_S, ACT_S = 60.0, 120.0
"""An uninstall of a big app on an old phone takes most of a minute."""
Section = tuple[str, str]
"""A name and the command that it holds the answer of."""


class Swapped(Exception):
    """Another phone answered than the one that was looked at, or it was started anew. It did nothing."""


@dataclass(frozen=True)
class Seen:
    """`listed`: the phone lets ADB list this user's apps."""

    state: AppState
    listed: bool


@dataclass(frozen=True)
class App:
    """A package of one user. `package` has the grammar of package names: it stands in command lines."""

    package: str
    user: int


def command_line(held: Held, sections: Sequence[Section], nonce: str) -> str:
    """Guarded, and each answer in a frame of its own; a newline before each end, for what prints none itself."""
    lines = [guard(held.identity["serial"], held.snapshot.body["power"]["boot_id"])]
    for name, command in sections:
        lines += [f'echo "{nonce} b {name}"', f'{command} 2>&1; echo "\n{nonce} e {name} $?"']
    return "\n".join([*lines, f'echo "{nonce} done"'])


def look_sections(app: App) -> list[Section]:
    return [
        ("app", f"dumpsys package {app.package}"),
        ("listed", f"pm list packages --user {app.user}"),
    ]


def ask(held: Held, sections: Sequence[Section], deadline_s: float) -> Frames:
    """Raise `TransportError`, `Swapped`."""
    nonce = secrets.token_hex(8)
    result = held.transport.run(command_line(held, sections, nonce), deadline_s)
    frames = parse_frames(result.stdout, nonce)
    if result.exit_code == GUARD_EXIT and not (frames.sections or frames.cut):
        raise Swapped
    return frames


def look(held: Held, app: App, *, after_s: int = 0) -> Seen:
    """What the app is to the user now, or in `after_s` seconds. Raise `TransportError`, `Swapped`, `Unreadable`."""
    first = [("wait", f"sleep {after_s}")] if after_s else []
    return _seen(ask(held, [*first, *look_sections(app)], LOOK_S + after_s), app)


def act(held: Held, app: App, command: str) -> tuple[str, Seen]:
    """Do it and look, in one line: what it said, as a code, and what the app is now. Raise as `look`."""
    frames = ask(held, [("said", command), *look_sections(app)], ACT_S)
    said = frames.sections.get("said")
    return UNCLEAR if said is None else said_code(said.text), _seen(frames, app)


def _seen(frames: Frames, app: App) -> Seen:
    """Raise `Unreadable`."""
    reader = SectionReader(frames)
    names = reader.take("listed", lambda: parse_names(reader.text("listed")).names)
    return Seen(parse_app(reader.text("app"), app.package, app.user, names), listed=names is not None)
