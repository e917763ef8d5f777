"""An order to remove an app while the agent is killed, the connection is cut, or cables are swapped.

Whatever happens, what is told is true of the phone: `uninstalled`, `disabled` and `suspended` were seen on it, and no
phone loses an app but the one that was named.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from agent import app_look, app_protect, identity, remove, wire
from agent.inbox import Inbox
from agent.simulator.android.removal import RemovalLie as L
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.state import Package, UserState
from agent.transport_tcp import TcpTransport
from tests.agent.remove_rig import GAME, RemoveRig
from tests.agent.test_remove import true_of
from tests.support.killing import Watched, killed_at_any_moment, killed_at_each_step
from tests.support.orders import before_call, shortened

ROUNDS = int(os.environ.get("BUTLER_PROVE_REMOVE", "4"))
_WATCHED: Watched = [
    (Inbox, "next"),
    (Inbox, "start"),
    (identity, "open_transport"),
    (identity, "read_snapshot"),
    (TcpTransport, "run"),
    (TcpTransport, "close"),
    (remove, "protected"),
    (app_look, "said_code"),
    (app_look, "parse_app"),
    (Inbox, "finish"),
]


_LIMITS = [(app_look, "ACT_S"), (app_look, "LOOK_S"), (app_protect, "ASK_S"), (identity, "READ_S")]


def _reset(rig: RemoveRig) -> wire.Command:
    phone = rig.phones[0]
    phone.packages = [item for item in phone.packages if item.name != GAME]
    phone.packages.append(Package(GAME, 7000, "1.7", uid=10401))
    command = rig.remove()
    rig.receive(command)
    return command


def test_killed_at_each_step(tmp_path: Path) -> None:
    """Turn by turn a phone that does what it says, and one that has to be disabled because it does not."""
    seen = set()
    with RemoveRig(tmp_path).up() as rig:

        def give(step: int) -> wire.Command:
            rig.phones[0].removal_lies = {GAME: [L.UNINSTALL_SAYS_SUCCESS]} if step % 2 == 0 else {}
            return _reset(rig)

        for *_, told in killed_at_each_step(rig, _WATCHED, give, turns=2):
            assert told[0] == "succeeded", told
            true_of(rig, told)
            seen.add((bool(rig.phones[0].removal_lies), told[1]["outcome"]))
    assert seen == {(False, "uninstalled"), (False, "gone"), (True, "disabled")}, "it is done in the end"


def test_killed_at_any_moment(tmp_path: Path) -> None:
    with RemoveRig(tmp_path).up() as rig:
        for *_, told in killed_at_any_moment(rig, ROUNDS, 0.05, lambda: _reset(rig), seed=7):
            assert told[0] == "succeeded"
            true_of(rig, told)


class TestCut:
    """The connection ends, or falls silent, in the middle of an act."""

    @pytest.mark.parametrize(
        ("lies", "tried"),
        [([L.DROPS], ["dropped"]), ([L.DROPS, L.UNINSTALL_SAYS_SUCCESS], ["dropped", "dropped", "dropped"])],
        ids=["it was done", "it was not"],
    )
    def test_what_was_cut_off_is_looked_after(self, tmp_path: Path, lies: list[L], tried: list[str]) -> None:
        with RemoveRig(tmp_path, removal_lies={GAME: lies}).up() as rig:
            told = rig.order(rig.remove())
            assert [one["said"] for one in told[1]["tried"]] == tried
            assert rig.slept
            true_of(rig, told)
            if len(tried) == 1:
                assert told[1]["outcome"] == "uninstalled"
            else:
                # A cut line is tried once more. The third was the disabling, which nobody could look at any more.
                assert [one["act"] for one in told[1]["tried"]] == ["uninstall", "uninstall", "disable"]
                assert told == (
                    "failed",
                    told[1]
                    | {"outcome": "unknown", "reason": "dropped", "after": dict.fromkeys(told[1]["after"])},
                )

    def test_a_phone_that_never_answers_is_not_asked_the_same_again(
        self, tmp_path: Path, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(app_look, "ACT_S", 0.1)
        lies = [L.HANGS, L.UNINSTALL_SAYS_SUCCESS, L.DISABLE_SAYS_DONE]
        with RemoveRig(tmp_path, removal_lies={GAME: lies}).up() as rig:
            told = rig.order(rig.remove())
            assert [one["act"] for one in told[1]["tried"]] == ["uninstall", "disable", "suspend"]
            assert told[0:1] == ("failed",)
            assert (told[1]["outcome"], told[1]["reason"]) == ("unknown", "timeout")

    def test_a_phone_that_was_slow_and_did_it(self, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(app_look, "ACT_S", 0.1)
        with RemoveRig(tmp_path, removal_lies={GAME: [L.HANGS]}).up() as rig:
            told = rig.order(rig.remove())
            assert told[1]["outcome"] == "uninstalled"
            assert told[1]["tried"] == [{"act": "uninstall", "said": "timeout"}]

    def test_refused_after_a_cut_is_not_called_unchanged(self, tmp_path: Path, monkeypatch: Any) -> None:
        """An act that was never answered may still be at work: what is seen now is not the end of it."""
        real, cut = app_look.ask, iter([True])
        lies = [L.UNINSTALL_SAYS_SUCCESS, L.DISABLE_REFUSED, L.SUSPEND_REFUSED]
        with RemoveRig(tmp_path, removal_lies={GAME: lies}).up() as rig:

            def ask(held: Any, sections: Any, deadline_s: float) -> Any:
                if sections[0][0] == "said" and next(cut, False):
                    rig.fleet.set_fault(0, Fault(FaultKind.DROP, after_bytes=0))
                try:
                    return real(held, sections, deadline_s)
                finally:
                    rig.fleet.set_fault(0, None)

            monkeypatch.setattr(app_look, "ask", ask)
            told = rig.order(rig.remove())
            assert [one["act"] for one in told[1]["tried"]] == [
                "uninstall",
                "uninstall",
                "disable",
                "suspend",
            ]
            assert (told[0], told[1]["outcome"], told[1]["reason"]) == ("failed", "unknown", "dropped")

    def test_a_restoring_that_was_cut_goes_on(self, tmp_path: Path) -> None:
        with RemoveRig(tmp_path).up() as rig:
            rig.order(rig.remove(acts=["disable"]))
            rig.phones[0].removal_lies = {GAME: [L.DROPS]}
            told = rig.order(rig.restore())
            assert (told[0], told[1]["outcome"]) == ("succeeded", "restored")
            true_of(rig, told)

    def test_a_phone_that_stays_away_is_unknown(self, tmp_path: Path) -> None:
        with RemoveRig(tmp_path, removal_lies={GAME: [L.DROPS]}).up() as rig:
            rig.meanwhile = lambda: rig.fleet.power_off(0)
            told = rig.order(rig.remove())
            assert (told[0], told[1]["outcome"], told[1]["reason"]) == ("failed", "unknown", "dropped")
            assert told[1]["after"] == {"installed": None, "enabled": None, "suspended": None}

    @pytest.mark.parametrize("call", [1, 2, 3])
    def test_a_phone_that_was_started_anew_is_only_taken_again(
        self, tmp_path: Path, monkeypatch: Any, call: int
    ) -> None:
        with RemoveRig(tmp_path).up() as rig:
            before_call(
                monkeypatch,
                call,
                lambda: rig.fleet.change(0, lambda phone: phone.boot("reboot,userrequested")),
            )
            told = rig.order(rig.remove())
            assert told[1]["outcome"] == "uninstalled"
            assert told[1]["tried"] == [{"act": "uninstall", "said": "success"}]

    def test_a_phone_that_was_reset_meanwhile_is_not_looked_at_instead(self, tmp_path: Path) -> None:
        """Its new self has no such app; who says so of the old one has not seen what became of it."""
        with RemoveRig(tmp_path, removal_lies={GAME: [L.DROPS, L.UNINSTALL_SAYS_SUCCESS]}).up() as rig:
            rig.meanwhile = rig.reset
            told = rig.order(rig.remove())
            assert (told[0], told[1]["outcome"], told[1]["reason"]) == ("failed", "unknown", "dropped")

    def test_another_phone_in_its_place_is_not_looked_at_instead(self, tmp_path: Path) -> None:
        with RemoveRig(tmp_path, 2, removal_lies={GAME: [L.DROPS, L.UNINSTALL_SAYS_SUCCESS]}).up() as rig:
            rig.phones[1].packages = [one for one in rig.phones[1].packages if one.name != GAME]
            rig.meanwhile = rig.swap
            told = rig.order(rig.remove())
            assert (told[0], told[1]["outcome"], told[1]["reason"]) == ("failed", "unknown", "dropped")


CALLS = 5
"""Of an honest removal: snapshot, look, what protects it, act, look again."""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.HANG, FaultPoint.OPEN),
        Fault(FaultKind.HANG, FaultPoint.OUTPUT, 40),
        Fault(FaultKind.DROP, after_bytes=0),
        Fault(FaultKind.DROP, after_bytes=60),
        Fault(FaultKind.GARBAGE, FaultPoint.OUTPUT, size=64),
        Fault(FaultKind.GARBAGE, FaultPoint.WIRE, size=64),
        Fault(FaultKind.EMPTY),
        Fault(FaultKind.FLOOD, size=4096),
    ],
)
@pytest.mark.parametrize(
    ("call", "lasts"), [(0, True), (1, True), (2, True), (3, False), (3, True), (4, False), (4, True)]
)
def test_a_fault_sets_in_before_each_call(
    tmp_path: Path, monkeypatch: Any, fault: Fault, call: int, lasts: bool
) -> None:
    shortened(monkeypatch, 0.15, *_LIMITS)
    with RemoveRig(tmp_path).up() as rig:

        def better() -> None:
            if not lasts:
                rig.fleet.set_fault(0, None)

        before_call(monkeypatch, call, lambda: rig.fleet.set_fault(0, fault))
        rig.meanwhile = better
        told = rig.order(rig.remove())
        rig.fleet.set_fault(0, None)
        true_of(rig, told)
        if call < 3:
            assert rig.app() == UserState(), "nothing is done before all was looked at"
            assert told[0] in ("not_now", "failed", "succeeded")
            assert told[1].get("outcome") in (None, "unknown", "protected")
        elif told[0] == "succeeded":
            # One that was too slow to uninstall it is not asked so again.
            assert told[1]["outcome"] in ("uninstalled", "disabled")


@pytest.mark.parametrize("call", range(CALLS + 1))
@pytest.mark.parametrize("same_connection", [True, False])
def test_cables_swapped_before_each_call_touch_nobody_else(
    tmp_path: Path, monkeypatch: Any, call: int, same_connection: bool
) -> None:
    """Two phones of one make; before call N the agent's connection, old or new, leads to the other phone."""
    with RemoveRig(tmp_path, 2).up() as rig:
        before_call(monkeypatch, call, rig.swap, elsewhere=same_connection)
        told = rig.order(rig.remove(index=0))
        assert rig.app(index=1) == UserState(), "the other phone keeps its app"
        true_of(rig, told)
        if told[0] == "refused":
            assert told[1] == {"reason": "other_phone"}
            assert rig.app() == UserState()


FAULTS = [
    None, Fault(FaultKind.HANG, FaultPoint.OPEN), Fault(FaultKind.DROP, after_bytes=0), Fault(FaultKind.EMPTY),
    Fault(FaultKind.DROP, after_bytes=200), Fault(FaultKind.GARBAGE, FaultPoint.OUTPUT, size=64),
]  # fmt: skip


def test_any_mixture_is_told_truly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lies, faults that come and go, cables swapped, a clone of the phone, protected and unprotected apps, all at once
    and by chance.
    """
    rng = random.Random(int(os.environ.get("BUTLER_PROVE_REMOVE_SEED", "3")))
    shortened(monkeypatch, 0.15, *_LIMITS)
    told_of: set[str | None] = set()
    with RemoveRig(tmp_path, 2).up() as rig:
        own_serial = rig.phones[1].identity.serial
        for _ in range(8 * ROUNDS):
            phone = rig.phones[0]
            _reset(rig)
            chosen = rng.sample(list(L), rng.choice([0, 0, 1, 2, 3]))
            phone.removal_lies = {GAME: [lie for lie in chosen if lie is not L.HANGS or rng.random() < 0.2]}
            phone.identity.sdk = rng.choice([24, 28, 30, 33, 36])
            shielded = rng.random() < 0.2
            phone.roles = phone.roles | {"sms": [GAME if shielded else "com.android.mms"]}
            fault, at, swaps = rng.choice(FAULTS), rng.randrange(7), rng.random() < 0.2
            rig.phones[1].identity.serial = phone.identity.serial if rng.random() < 0.3 else own_serial

            def befalls(fault: Fault | None = fault, swaps: bool = swaps) -> None:
                rig.fleet.set_fault(0, fault)
                if swaps:
                    rig.swap()

            before_call(monkeypatch, at, befalls)
            rig.meanwhile = lambda: rig.fleet.set_fault(0, rng.choice(FAULTS))
            while rig.worker().step():
                pass
            told = rig.told()
            rig.fleet.set_fault(0, None)
            assert rig.app(index=1) == UserState(), told
            if shielded:
                assert rig.app() == UserState(), told
            true_of(rig, told)
            told_of.add(told[1].get("outcome", told[0]))
            if rig.swapped:
                rig.swap()
    assert len(told_of) > 3, told_of
