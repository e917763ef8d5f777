"""One wipe by its number, with one thing that goes wrong on the way, up to the certificate; and what really happened.

The people are of good faith and believe whatever grade they are shown: they confirm it, sign, and certify. Who looks at
the phone says what is there. So a certificate without proof would be the server's own fault.
"""

from __future__ import annotations

import io
import random
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import requests
from PIL import Image

from agent.simulator.android.testharness import HarnessLie
from agent.simulator.connection import AdbConnection
from agent.simulator.state import AuthMode, PhoneState
from app.kernel.db import db
from app.papers import read_ink
from app.wipe import certifying, confirming, inspection_store, judging
from app.wipe.hook import tools
from app.wipe.inspecting import ask_inspections
from app.wipe.store import by_id
from tests.support.wipe_gateway import Gateway
from tests.support.wipe_kills import KILLED, at_agents_step, at_statement, faulty_line, in_child
from tests.support.wipe_line import Answer, Sent
from tests.support.wipe_yard import Yard

WRONG = ("nothing", "drop", "hang", "garbage", "kill_agent", "kill_server", "lie", "twin", "cut_inspection")
_UNDONE = ("draft", "requested", "approved", "armed", "queued", "cancelled", "expired")
_QUICK = {
    "agent.wipe.ASK_S": 1.5,
    "agent.wipe.ORDER_S": 1.5,
    "agent.identity.READ_S": 1.5,
    "agent.inspect_phone.READ_S": 1.5,
}
_INK = (
    '{"width": 600, "height": 200, "strokes": [[[20, 30], [200, 150], [400, 40]], [[50, 160], [500, 170]]]}'
)
_PICTURES = 30


@dataclass
class Told:
    """How the run ended, beside the truth. `erased`: the phone was reset after the order, and its pictures are gone."""

    what: str
    state: str = ""
    grade: str = ""
    resets: int = 0
    pictures: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def erased(self) -> bool:
        return self.resets > 0 and self.pictures == 0

    def judge(self) -> None:
        if self.state in ("certified", "verified") and not self.erased:
            self.wrong.append("certified, and not erased")
        if self.state == "failed" and self.erased:
            self.wrong.append("called failed, and erased")
        if self.state in _UNDONE and self.resets:
            self.wrong.append(f"called {self.state}, and reset")
        if self.resets > 1:
            self.wrong.append("reset twice by one order")


class Truth:
    def __init__(self, yard: Yard, number: int) -> None:
        self.yard, self.rng = yard, random.Random(number)
        self.what = self.rng.choice(WRONG)
        self.gateway: Gateway = yard.gateways[0]
        self.phone: PhoneState = yard.states[0]
        self.tells = self.rng.random() < 0.5
        self.told = Told(self.what)
        self._furnish()

    def _furnish(self) -> None:
        """A phone in use, whose clocks go with the yard's."""
        begin = self.yard.clock.now().timestamp()
        for index, state in enumerate(self.yard.states):
            tree = self.yard.fleet.devices[index].files
            state.clock = lambda: self.yard.clock.now().timestamp() - begin + 100_000.0
            state.wall_offset_s, state.booted_at = begin - 100_000.0, 10_000.0
            state.boot_count, state.boot_reasons = 41, [("reboot,userrequested", int(begin) - 90_000)]
            folder = tree.real("/sdcard/DCIM")
            folder.mkdir()
            for number in range(_PICTURES):
                (folder / f"{number}.jpg").write_bytes(b"jpg")
        self._say_imeis()

    def _say_imeis(self) -> None:
        """It is in the build that a phone tells its IMEIs to shell, or not."""
        if self.tells:
            for state, imei in zip(self.yard.states, self.yard.first_imeis, strict=True):
                state.properties["gsm.imei1"] = imei

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        if self.what == "lie":
            self.phone.harness_lie = self.rng.choice(list(HarnessLie))
            self.what = self.told.what = f"lie:{self.phone.harness_lie}"
        if self.what == "twin" and self.rng.random() < 0.5:
            self.phone.harness_lie = HarnessLie.DOES_NOTHING

    def ordered(self) -> None:
        """The gateway carries out what it was given, with what goes wrong meanwhile."""
        silent = self.what in ("hang", "lie:silent_before", "lie:silent_after")
        with ExitStack() as stack:
            for name, seconds in _QUICK.items() if silent else ():
                stack.enter_context(patch(name, seconds))
            if self.what in ("drop", "hang", "garbage"):
                stack.enter_context(faulty_line(AdbConnection, self.what, self.rng.randint(1, 40)))
            if self.what == "kill_agent":
                self._killed_at_work()
            else:
                self.gateway.work()
        self.settle()

    def _killed_at_work(self) -> None:
        self.gateway.box.database.close()

        def prepare() -> None:
            self.gateway.box.open(self.gateway.box.clock.boot)
            boxes = self.gateway.boxes
            self.gateway._begin()
            self.gateway.boxes._kept.update(boxes._kept)
            at_agents_step(self.rng.randint(1, 40))

        in_child(self.gateway.work, prepare, self.yard.fleet)
        self.gateway.box.open(self.gateway.box.clock.boot)
        self.gateway._begin()
        self.gateway.work()

    def settle(self) -> None:
        self.yard.settle()
        self._say_imeis()

    def acts(self, act: Callable[[], Any]) -> None:
        """What somebody does on the server's pages: where that is killed in the middle of it, he does it again."""
        if self.what == "kill_server":
            self._in_dying_server(act, 200)
        act()

    def _in_dying_server(self, work: Callable[[], Any], steps: int) -> Any:
        self.yard.close_database()
        with self.yard.app.app_context():
            engine = db.engine
        step = self.rng.randint(1, steps)
        return in_child(work, lambda: at_statement(engine, step))

    def carry(self, sent: Sent) -> Answer:
        """To a server that is killed in the middle of it, in some runs."""
        if self.what != "kill_server" or self.rng.random() < 0.4:
            return self.yard.carry(sent)
        answer = self._in_dying_server(lambda: self.yard.carry(sent), 120)
        if answer is KILLED:
            raise requests.ConnectionError("killed")
        return answer  # type: ignore[no-any-return]

    # --- the run ------------------------------------------------------------------------------------------------------

    def go(self) -> Told:
        yard = self.yard
        for line in yard.lines:
            line.carry = self.carry
        self.contact()
        yard.open(0)
        yard.ask(0)
        yard.approve(0)
        yard.wait(4 * 3600 + 1)
        yard.arm()
        self.look()
        self.contact()
        self.prepare()
        self.acts(lambda: yard.release(0))
        self.contact()
        yard.wait(self.rng.uniform(1, 60))
        self.ordered()
        self.contact()
        if self.rng.random() < 0.2:
            # Too early: what lies there when the gateway reads may be another.
            self.does(lambda s: self._reads_off(s, yard.wipes[0], 0))
        if self.what == "twin":
            self._other_phone()
        for _ in range(self.rng.randint(2, 4)):
            yard.wait(600)
            yard.sweep()
            self.look()
        self.people()
        self.told.resets = self.phone.resets
        self.told.pictures = yard.fleet.devices[0].files.media_count()
        self.told.state = yard.state(0)
        self.told.judge()
        return self.told

    def contact(self) -> None:
        """Lost answers are asked for again, as the reporter does."""
        self.gateway.read()
        for _ in range(8):
            if self.gateway.report():
                break

    def look(self) -> None:
        """The server has the phone read, and the gateway reads it."""
        here = self.yard.app.extensions["butler"]
        with self.yard.writing() as session:
            ask_inspections(session, here.policies, self.yard.clock.now())
        self.contact()
        self.yard.wait(2)
        with ExitStack() as stack:
            if self.what == "cut_inspection":
                kind = self.rng.choice(("drop", "garbage"))
                stack.enter_context(faulty_line(AdbConnection, kind, self.rng.randint(1, 60)))
            self.gateway.work()
        self.contact()

    def _other_phone(self) -> None:
        """A phone with the same serial lies there now: erased by hand, or in use; the named one beside it, or off."""
        serial = self.yard.first_serials[0]
        self.yard.fleet.change(3, lambda p: setattr(p.identity, "serial", serial))
        if self.rng.random() < 0.5:
            self.yard.fleet.power_off(0)
        if self.rng.random() < 0.7:
            self.yard.fleet.factory_reset(3)
            self.yard.fleet.enable_debugging(3)
            self.yard.fleet.authorise(3)
            self.yard.states[3].auth = AuthMode.OPEN
        self.yard.fleet.swap(0, 3)
        if self.rng.random() < 0.5:
            self.yard.states[3].properties.clear()

    # --- people -------------------------------------------------------------------------------------------------------

    def people(self) -> None:
        """The second person looks at the phone in some runs, and confirms what he is shown; both sign."""
        wipe = self.yard.wipes[0]
        looks = self.rng.random()
        if looks < 0.5:
            self.does(lambda s: self._by_hand(s, wipe))
        elif looks < 0.8:
            self.does(lambda s: self._reads_off(s, wipe, 3 if self.what == "twin" else 0))
        grade = self.grade()
        self.told.grade = grade
        now = self.yard.clock.now()
        lead = self.yard.who("lead", "u-second")
        if grade == "failed":
            self.does(
                lambda s: confirming.confirm_failed(s, lead, wipe, words="没有清除", tools=tools(), now=now)
            )
            return
        self.does(
            lambda s: confirming.verify(s, lead, wipe, grade_seen=grade, words="看过", tools=tools(), now=now)
        )
        here = self.yard.app.extensions["butler"]
        self.does(
            lambda s: certifying.put_up(
                s, self.yard.who("it"), wipe, tools=tools(), vault=here.vault, now=now
            )
        )
        for side, user in (("performer", "u-it"), ("verifier", "u-second")):
            self.does(self._signing(wipe, side, user))

    def does(self, act: Callable[[Any], Any]) -> None:
        self.acts(lambda: self.yard.people(act))

    def _by_hand(self, session: Any, wipe: uuid.UUID) -> None:
        """Of the phone that lies there; he types what `*#06#` shows."""
        there = 3 if self.what == "twin" else 0
        state, files = self.yard.states[there], self.yard.fleet.devices[there].files
        fresh = state.resets > 0

        def seen(yes: bool) -> str:
            return "yes" if yes else "no"

        given = confirming.ByHand(
            seen={
                "welcome": seen(fresh), "no_lock": seen(state.lock_pin is None),
                "no_data": seen(fresh and files.media_count() == 0), "storage": "unknown",
            },
            typed_imei=self.yard.first_imeis[there], words="",
            photos=[(kind, _picture(n)) for n, kind in enumerate(confirming.MUST_PHOTOS)],
        )  # fmt: skip
        lead = self.yard.who("lead", "u-second")
        confirming.inspect_by_hand(session, lead, wipe, given, tools=tools(), now=self.yard.clock.now())

    def _reads_off(self, session: Any, wipe: uuid.UUID, there: int) -> None:
        lead, imei = self.yard.who("lead", "u-second"), self.yard.first_imeis[there]
        confirming.read_off_imei(session, lead, wipe, imei, tools=tools(), now=self.yard.clock.now())

    def grade(self) -> str:
        here = self.yard.app.extensions["butler"]
        with self.yard.writing() as session:
            row = by_id(session, self.yard.wipes[0])
            assert row is not None
            graded = judging.judge(session, row, here.policies)
            return "" if graded is None else str(graded.grade)

    def _signing(self, wipe: uuid.UUID, side: str, user: str) -> Callable[[Any], Any]:
        def act(session: Any) -> Any:
            rows = inspection_store.certificates(session, wipe)
            if not rows:
                return None
            given = certifying.Signing(
                side=side, title="主管", place="锦绣花园办公室", contact="021-5555", ink=read_ink(_INK).png,
                digest_seen=rows[0].digest,
            )  # fmt: skip
            signer = SimpleNamespace(user=user, name=user, employee=None, how="own_session")
            return certifying.sign(
                session,
                self.yard.who("it"),
                rows[0].id,
                given,
                signer=signer,
                tools=tools(),
                now=self.yard.clock.now(),
            )

        return act


def _picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 80), (60 * shade, 90, 60)).save(out, "JPEG")
    return out.getvalue()


def run(yard: Yard, number: int) -> Told:
    """The run of this number, always the same."""
    with yard.begin():
        return Truth(yard, number).go()
