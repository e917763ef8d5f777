"""One run of the yard by its number: one or two wipes from draft to order, with mischief between any two steps.

Where people are, they stand at the phone that lies at the port; what they type is what its screen shows, unless they
read it off the file instead.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.wipe_line import Answer, Sent, altered, lost, orders_in, with_orders
from tests.support.wipe_yard import PHONES, PIN, Ledger, Yard

PLACEHOLDER = "0123456789ABCDEF"
_DAY_S = 86_400.0


class Fuzz:
    """`mischief` is named by its method. `at`: phones by where they lie: `at[port]`."""

    def __init__(self, yard: Yard, number: int) -> None:
        self.yard, self.rng = yard, random.Random(number)
        self.at = list(range(PHONES))
        self.copies: list[Path] = []
        self.spools: list[tuple[int, Path]] = []
        self.done: list[str] = []
        self.careful = True
        self.mid: Callable[[], None] | None = None
        self.restored = False
        self.both = self.rng.random() < 0.4
        for gateway in yard.gateways:
            gateway.on_stage = self._stage

    def _stage(self, stage: str) -> None:
        if self.mid is not None and self.rng.random() < 0.5:
            act, self.mid = self.mid, None
            act()

    # --- cables and phones ------------------------------------------------------------------------------------------

    def cables(self) -> None:
        one, other = self.rng.sample(range(PHONES), 2)
        self.yard.fleet.swap(one, other)
        self.at[one], self.at[other] = self.at[other], self.at[one]

    def cables_meanwhile(self) -> None:
        self.mid = self.cables

    def same_serial(self) -> None:
        """Another phone tells the serial of the named one, and hides its IMEI."""
        one, other = self.rng.choice([(0, 3), (0, 2), (1, 3), (0, 1), (1, 0)])
        serial = self.yard.first_serials[one]
        self.yard.fleet.change(other, lambda p: setattr(p.identity, "serial", serial))

    def same_serial_in_its_place(self) -> None:
        one = self.rng.choice((0, 1))
        serial = self.yard.first_serials[one]
        self.yard.fleet.change(3, lambda p: setattr(p.identity, "serial", serial))
        self.yard.fleet.swap(one, 3)
        self.at[one], self.at[3] = self.at[3], self.at[one]

    def same_serial_alone(self) -> None:
        """As before, and the named phone is off: nobody else answers by its serial."""
        one = self.rng.choice((0, 1))
        serial = self.yard.first_serials[one]
        self.yard.fleet.change(3, lambda p: setattr(p.identity, "serial", serial))
        self.yard.fleet.swap(one, 3)
        self.at[one], self.at[3] = self.at[3], self.at[one]
        self.yard.fleet.power_off(one)
        self.careful = self.rng.random() < 0.3

    def same_serial_meanwhile(self) -> None:
        self.mid = self.same_serial_in_its_place

    def placeholder(self) -> None:
        phone = self.rng.randrange(PHONES)
        self.yard.fleet.change(phone, lambda p: setattr(p.identity, "serial", PLACEHOLDER))

    def imei_told(self) -> None:
        """A phone tells an IMEI: its own, or another's."""
        phone, whose = self.rng.randrange(PHONES), self.rng.randrange(PHONES)
        imei = self.yard.first_imeis[phone if self.rng.random() < 0.6 else whose]
        self.yard.fleet.change(phone, lambda p: p.properties.update({"gsm.imei1": imei}))

    def imei_hidden(self) -> None:
        phone = self.rng.randrange(PHONES)
        self.yard.fleet.change(phone, lambda p: p.properties.clear())

    def restarted_phone(self) -> None:
        self.yard.fleet.reboot(self.rng.randrange(PHONES))

    # --- people -----------------------------------------------------------------------------------------------------

    def not_looking(self) -> None:
        """He types what stands in the file, whatever lies before him."""
        self.careful = False

    def taken_back(self) -> None:
        for phone in self.yard.wipes:
            self.yard.take_back(phone, self.rng.choice(("cancel", "withdraw", "recall")))

    def own_approval(self) -> None:
        for phone in self.yard.wipes:
            self.yard.approve(phone, "u-asker")

    def too_early(self) -> None:
        """Released as soon as it can be pressed, by whoever tries."""
        for phone in self.yard.wipes:
            self.yard.release(phone)

    def wrong_tag(self) -> None:
        for phone in self.yard.wipes:
            self.yard.release(phone, tag=f"GJ-{(phone + 1) % 3:04}")

    def wrong_handset(self) -> None:
        """Somebody opens one for the phone whose data was not moved."""
        self.yard.open(2)
        self.yard.ask(2)
        self.yard.approve(2)

    # --- line -------------------------------------------------------------------------------------------------------

    def answer_lost(self) -> None:
        self.rng.choice(self.yard.lines).after = lost

    def request_lost(self) -> None:
        self.rng.choice(self.yard.lines).before = lost

    def body_altered(self) -> None:
        def change(body: Any) -> Any:
            results = [
                {**one, "state": self.rng.choice(("not_now", "refused", "succeeded"))}
                for one in body["results"]
            ]
            return {**body, "results": results, "readings": body["readings"][::-1]}

        self.rng.choice(self.yard.lines).before = lambda sent: altered(sent, change)

    def order_altered(self) -> None:
        """Another serial in the envelope, or the signature of another order."""
        old, new = self.rng.sample(self.yard.first_serials, 2)

        def change(answer: Answer) -> Answer:
            orders = [
                {
                    **one,
                    "payload": one["payload"]
                    .replace(old, new)
                    .replace('"expires_in_s":', '"expires_in_s":9'),
                }
                for one in orders_in(answer)
            ]
            return with_orders(answer, orders)

        for line in self.yard.lines:
            line.after = change

    def requests_again(self) -> None:
        """What a gateway sent earlier is sent again, byte for byte, and from another place."""
        for line in self.yard.lines:
            if line.seen:
                sent: Sent = self.rng.choice(line.seen)
                line.answers.append(self.yard.carry(sent))

    def orders_again(self) -> None:
        """Every order that ever went by, to either gateway."""
        old = [one for line in self.yard.lines for answer in line.answers for one in orders_in(answer)]
        for line in self.yard.lines:
            line.after = lambda answer: with_orders(answer, [*old, *orders_in(answer)])

    def answers_exchanged(self) -> None:
        """The next orders of one gateway reach the other."""
        one, other = self.yard.lines
        held: list[Any] = []

        def take(answer: Answer) -> Answer:
            held.extend(orders_in(answer))
            return with_orders(answer, [])

        one.after, other.after = take, lambda answer: with_orders(answer, [*held, *orders_in(answer)])

    # --- time, disks, machines ----------------------------------------------------------------------------------------

    def time_passes(self) -> None:
        self.yard.wait(self.rng.choice((30.0, 400.0, 700.0, 1000.0, 4000.0, _DAY_S)))

    def gateway_restarted(self) -> None:
        self.rng.choice(self.yard.gateways).restart()

    def spool_copied(self) -> None:
        number = self.rng.randrange(2)
        self.spools.append((number, self.yard.gateways[number].copy()))

    def spool_restored(self) -> None:
        if self.spools:
            number, place = self.rng.choice(self.spools)
            self.yard.gateways[number].restore(place)

    def enrolled_anew(self) -> None:
        number = self.rng.randrange(2)
        self.yard.gateways[number].know(self.yard.enrol())

    def database_copied(self) -> None:
        self.copies.append(self.yard.copy())

    def database_restored(self) -> None:
        """To an older copy. What was kept elsewhere tells of it; if nothing was, the copy is older than any order."""
        if not self.copies:
            return
        if self.rng.random() < 0.5:
            self.yard.keep_checkpoint()
        else:
            self.yard.wait(1000.0)
            self.restored = True
        self.yard.restore(self.rng.choice(self.copies))

    # --- the run ----------------------------------------------------------------------------------------------------

    def steps(self, phone: int) -> Iterator[Callable[[], None]]:
        yard = self.yard
        yield self.contact
        yield lambda: yard.open(phone)
        yield lambda: self._if_open(phone, yard.ask)
        yield lambda: self._if_open(phone, yard.approve)
        yield lambda: yard.wait(4 * 3600 + 1)
        yield yard.arm
        yield self.contact
        yield lambda: self._if_open(phone, self.press)
        yield self.contact
        yield self.work
        yield self.contact
        yield yard.sweep
        yield self.work

    def _if_open(self, phone: int, act: Callable[[int], None]) -> None:
        if phone in self.yard.wipes:
            act(phone)

    def press(self, phone: int) -> None:
        """He stands where the phone ought to lie, and after a restore nobody presses: only machines go on."""
        if self.restored:
            return
        there = self.at[phone]
        typed = self.yard.first_imeis[there if self.careful else phone]
        self.yard.release(phone, typed=typed)

    def contact(self) -> None:
        """The second gateway hears of the phones in some runs alone; what is sent to it, it always takes."""
        for number, gateway in enumerate(self.yard.gateways):
            if number == 0 or self.both:
                gateway.read()
            gateway.report()
        self.yard.settle()

    def work(self) -> None:
        for gateway in self.yard.gateways:
            gateway.work()
            self.yard.settle()


MISCHIEF = (
    Fuzz.cables, Fuzz.cables_meanwhile, Fuzz.same_serial, Fuzz.same_serial_in_its_place, Fuzz.same_serial_meanwhile,
    Fuzz.same_serial_alone,
    Fuzz.placeholder, Fuzz.imei_told, Fuzz.imei_hidden, Fuzz.restarted_phone, Fuzz.not_looking, Fuzz.taken_back,
    Fuzz.own_approval, Fuzz.too_early, Fuzz.wrong_tag, Fuzz.wrong_handset, Fuzz.answer_lost, Fuzz.request_lost,
    Fuzz.body_altered, Fuzz.order_altered, Fuzz.requests_again, Fuzz.orders_again, Fuzz.answers_exchanged,
    Fuzz.time_passes, Fuzz.gateway_restarted, Fuzz.spool_copied, Fuzz.spool_restored, Fuzz.enrolled_anew,
    Fuzz.database_copied, Fuzz.database_restored,
)  # fmt: skip
_HOW_MUCH = (0, 1, 2, 3, 4, 6, 9)


def run(yard: Yard, number: int) -> tuple[Ledger, str]:
    """The run of this number, always the same; what was really done, and the mischief that there was."""
    with yard.begin():
        fuzz = Fuzz(yard, number)
        rng = fuzz.rng
        if rng.random() < 0.4:
            for index in range(PHONES):
                yard.fleet.change(index, _told(yard.first_imeis[index]))
        if rng.random() < 0.3:
            for state in yard.states:
                state.lock_pin = PIN
        plan = [list(fuzz.steps(phone)) for phone in rng.choice(((0,), (1,), (0, 1), (0, 0)))]
        steps = [one.pop(0) for one in _turns(rng, plan)]
        often = rng.choice(_HOW_MUCH)
        gaps = sorted(rng.randrange(len(steps) + 1) for _ in range(often))
        for place, step in enumerate(steps):
            for _ in range(gaps.count(place)):
                act = rng.choice(MISCHIEF)
                fuzz.done.append(f"{place}:{act.__name__}")
                act(fuzz)
            step()
        # Whatever was held back arrives in the end.
        for _ in range(2):
            fuzz.contact()
            fuzz.work()
        return yard.ledger, " ".join(fuzz.done)


def _told(imei: str) -> Callable[[Any], None]:
    return lambda phone: phone.properties.update({"gsm.imei1": imei})


def _turns(rng: random.Random, plans: list[list[Any]]) -> list[list[Any]]:
    """Whose turn it is, until every plan is done: each keeps its own order."""
    turns = [plan for plan in plans for _ in plan]
    rng.shuffle(turns)
    return turns
