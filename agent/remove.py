"""Kinds `remove_app` and `restore_app`: take an app from one user of the named phone, or give it back.

Each act is followed by a look, in the same command line, and only that look counts: exit codes and words lie. An act
that was cut off is looked after over a new connection; where that is not possible the outcome is `unknown`. Both are
safe to do again: they begin with a look and end where there is nothing left to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agent import wire
from agent.app_look import App, Seen, Swapped, act, look
from agent.app_protect import protected
from agent.errors import TransportError
from agent.identity import Expected, Held, NotAtHand, PhoneAtHand, expected_of
from agent.inbox import Outcome
from agent.parsers import Unreadable
from agent.parsers.removal import ABSENT, AppState, is_package

Act = Literal["uninstall", "disable", "suspend", "install", "enable", "unsuspend"]
REMOVING: tuple[Act, ...] = ("uninstall", "disable", "suspend")
TAKES = 3
"""How often the phone is taken in hand anew when it went away in the middle."""
AGAIN_S = 5.0
SETTLE_S = 3
"""A vendor's keeper that puts an app back does so within moments."""
MAX_USER = 99_999
_DISABLED = frozenset({2, 3})
_FOREIGN = frozenset({"other_phone", "expect"})
_VERBS: dict[Act, str] = {
    "uninstall": "uninstall", "disable": "disable-user", "suspend": "suspend", "install": "install-existing",
    "enable": "enable", "unsuspend": "unsuspend",
}  # fmt: skip
_OUTCOMES: dict[Act, str] = {"uninstall": "uninstalled", "disable": "disabled", "suspend": "suspended"}
_TELLING = (
    "vendor_setting", "needs_tap", "device_policy", "comes_back", "only_updates", "lied", "user_restricted",
    "user_not_readable", "app_pinned", "vendor_refuses", "not_permitted", "not_supported",
)  # fmt: skip
"""Of several reasons the one that tells a person most of what to do."""


@dataclass
class _Work:
    """One order on its way, over however many connections. `cut`: why an act's own answer never came. `settled`: acts
    that are not to be tried again.
    """

    app: App
    expected: Expected
    state: AppState | None = None
    tried: list[dict[str, str]] = field(default_factory=list)
    settled: set[Act] = field(default_factory=set)
    cut: str | None = None

    def told(self, state: Literal["succeeded", "failed"], outcome: str, reason: str | None = None) -> Outcome:
        now = None if outcome == "unknown" else self.state
        after = {
            "installed": None if now is None else now.installed,
            "enabled": None if now is None else now.enabled,
            "suspended": None if now is None else now.suspended,
        }
        return Outcome(state, {"outcome": outcome, "reason": reason, "tried": self.tried, "after": after})

    def known(self, outcome: str, reason: str | None = None) -> Outcome:
        return self.told("succeeded", outcome, reason)

    def unknown(self, reason: str) -> Outcome:
        return self.told("failed", "unknown", reason)

    def failed(self) -> Outcome:
        """Nothing is left to try, and it is not as it should be."""
        if self.cut is not None:
            # It may still be at work on the phone: what was seen is not the end of it.
            return self.unknown(self.cut)
        said = [one["said"] for one in self.tried]
        return self.known("unchanged", next((reason for reason in _TELLING if reason in said), "refused"))

    def look(self, held: Held, after_s: int = 0) -> Seen:
        seen = look(held, self.app, after_s=after_s)
        self.state = seen.state
        return seen

    def first_look(self, held: Held, settle_s: int) -> Seen:
        """Behind an act whose end was not seen the phone may still be at it: a look at once could come too early."""
        return self.look(held, settle_s if self.tried else 0)

    def act(self, held: Held, what: Act) -> tuple[str, AppState]:
        """What was said and is seen. Raise as `look`. Whatever happens, it is among the tried ones then."""
        try:
            said, seen = act(held, self.app, act_command(self.app, what))
        except TransportError as exc:
            # A phone that was too slow once is not asked twice; a line that was cut may have carried nothing.
            if exc.reason == "timeout" or self.was_tried(what):
                self.settled.add(what)
            self.cut = exc.reason
            self.note(what, exc.reason)
            raise
        except Unreadable:
            self.note(what, "unread")
            raise
        self.settled.add(what)
        self.state = seen.state
        self.note(what, said)
        return said, seen.state

    def was_tried(self, what: Act) -> bool:
        return any(one["act"] == what for one in self.tried)

    def note(self, what: Act, said: str) -> None:
        self.tried.append({"act": what, "said": said})

    def correct(self, said: str) -> None:
        """What the last act said is not what was then seen."""
        self.tried[-1]["said"] = said


def act_command(app: App, what: Act) -> str:
    return f"pm {_VERBS[what]} --user {app.user} {app.package}"


@dataclass(frozen=True)
class _AppKind:
    """`sleep` waits between two takes."""

    at_hand: PhoneAtHand
    settle_s: int = SETTLE_S
    sleep: Callable[[float], None] = time.sleep

    purpose = wire.DANGER_PURPOSE

    def _carried(self, command: wire.Command, work: _Work, step: Callable[[Held, _Work], Outcome]) -> Outcome:
        """`step` with the phone in hand, and again over a new connection where it was cut."""
        reason = "not_seen"
        for turn in range(TAKES):
            if turn:
                self.sleep(AGAIN_S)
            try:
                with self.at_hand(command, expected=work.expected, safe=False) as held:
                    return step(held, work)
            except Unreadable:
                return work.unknown("words")
            except Swapped:
                # It did nothing; who it is, and whether it was only started anew, the next take tells.
                reason = "dropped"
                continue
            except (NotAtHand, TransportError) as exc:
                reason = exc.reason
            if not work.tried:
                break
        if work.tried:
            return work.unknown(work.cut or reason)
        return Outcome("refused" if reason in _FOREIGN else "not_now", {"reason": reason})


def _user_gone(held: Held, work: _Work) -> bool:
    """A user that the phone no longer has: nothing is installed for it."""
    users = held.snapshot.body["users"]
    if users is None or work.app.user in {user["id"] for user in users}:
        return False
    work.state = ABSENT
    return True


@dataclass(frozen=True)
class RemoveApp(_AppKind):
    def __call__(self, command: wire.Command) -> Outcome:
        work, acts, system = _work(command), _acts(command.args.get("acts")), command.args.get("system")
        if isinstance(work, Outcome):
            return work
        if not acts or not isinstance(system, bool):
            return _refused("bad_args")
        return self._carried(command, work, lambda held, now: self._removed(held, now, acts, system=system))

    def _removed(self, held: Held, work: _Work, acts: Sequence[Act], *, system: bool) -> Outcome:
        if _user_gone(held, work):
            return work.known("gone")
        seen = work.first_look(held, self.settle_s)
        if made := _made(work, acts, seen.state):
            return work.known(made)
        if not seen.state.installed:
            return work.known("gone")
        reason = protected(held, work.app, seen, system=system)
        if reason is not None:
            return work.known("protected", reason) if work.cut is None else work.unknown(work.cut)
        state = seen.state
        for what in acts:
            if what not in work.settled:
                state = self._after(held, work, what, state)
                if made := _made(work, acts, state):
                    return work.known(made)
        return work.failed()

    def _after(self, held: Held, work: _Work, what: Act, before: AppState) -> AppState:
        """What the app is after this act, and a while later where it worked."""
        if _shows(what, before):
            work.note(what, "already")
            return before
        said, state = work.act(held, what)
        if _shows(what, state):
            state = work.look(held, self.settle_s).state
            if not _shows(what, state):
                work.correct("comes_back")
        elif said == "success":
            fell = (state.version_code or 0) < (before.version_code or 0)
            work.correct("only_updates" if what == "uninstall" and fell else "lied")
        return state


def _made(work: _Work, acts: Sequence[Act], state: AppState) -> str | None:
    """What the acts that were tried have made of it, by what is seen now: one may work late, whatever was said."""
    return next((_OUTCOMES[what] for what in acts if work.was_tried(what) and _shows(what, state)), None)


def _shows(what: Act, state: AppState) -> bool:
    if what == "uninstall":
        return not state.installed
    if what == "disable":
        return state.enabled in _DISABLED
    return state.suspended is True


@dataclass(frozen=True)
class RestoreApp(_AppKind):
    def __call__(self, command: wire.Command) -> Outcome:
        work = _work(command)
        return work if isinstance(work, Outcome) else self._carried(command, work, self._restored)

    def _restored(self, held: Held, work: _Work) -> Outcome:
        if _user_gone(held, work):
            return work.known("unchanged", "user_not_there")
        state = work.first_look(held, self.settle_s).state
        if not state.known:
            # Its files left the phone with it: only a new installation brings it back.
            return work.known("unchanged", "full_uninstall")
        while left := [what for what in _missing(state) if what not in work.settled]:
            said, state = work.act(held, left[0])
            if said == "success" and left[0] in _missing(state):
                work.correct("lied")
        if work.tried and not _missing(state):
            state = work.look(held, self.settle_s).state
        return work.failed() if _missing(state) else work.known("restored")


def _missing(state: AppState) -> list[Act]:
    """What an app still needs until the user has it to use."""
    needs: dict[Act, bool] = {
        "install": not state.installed,
        "enable": state.enabled not in (0, 1),
        "unsuspend": state.suspended is True,
    }
    return [what for what, needed in needs.items() if needed]


def _refused(reason: str) -> Outcome:
    return Outcome("refused", {"reason": reason})


def _work(command: wire.Command) -> _Work | Outcome:
    """What both kinds are told; or why that is no order."""
    app = _app(command)
    try:
        expected = expected_of(command.args)
    except TypeError:
        return _refused("bad_args")
    if app is None:
        return _refused("bad_args")
    return _refused("expect") if expected is None else _Work(app, expected)


def _app(command: wire.Command) -> App | None:
    package, user = command.args.get("package"), command.args.get("user")
    if not is_package(package) or type(user) is not int or not 0 <= user <= MAX_USER:
        return None
    return App(package, user)


def _acts(told: Any) -> tuple[Act, ...]:
    """In the order of the command; none where there is anything else among them."""
    if not isinstance(told, list) or not all(one in REMOVING for one in told):
        return ()
    return tuple(told) if len(set(told)) == len(told) else ()
