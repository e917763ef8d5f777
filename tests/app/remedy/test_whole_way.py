"""The real agent over simulated phones: one that does what it is told, one that says so and does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.commands import CommandWorker
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.remove import RemoveApp, RestoreApp
from agent.simulator.android.removal import RemovalLie as L
from agent.simulator.fleet import Fleet
from agent.simulator.state import Package
from app.registry import Handset
from app.registry.model import HandsetImei
from app.remedy.hook import tools
from app.remedy.ordering import order
from app.remedy.restoring import restore
from tests.agent.remove_rig import GAME, with_apps
from tests.app.remedy.remedy_world import World
from tests.support.wipe_gateway import Gateway
from tests.support.wipe_line import Line, to_server


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


class Site(Gateway):
    """A gateway with the kinds that remove."""

    def _begin(self) -> None:
        super()._begin()
        at_hand = PhoneAtHand(self.options, Hands(), self.serials, self.targets, self.options.clock, 1.0)
        kinds: dict[str, Any] = {
            "remove_app": RemoveApp(at_hand, settle_s=0, sleep=lambda _: None),
            "restore_app": RestoreApp(at_hand, settle_s=0, sleep=lambda _: None),
        }
        self.worker = CommandWorker(self.inbox, kinds, self.box.clock, on_result=lambda: None)


class Place:
    def __init__(self, world: World, site: Site, states: list[Any]) -> None:
        self.world, self.site, self.states = world, site, states
        self.ids = [self._register(state.identity, n) for n, state in enumerate(states)]

    def _register(self, identity: Any, number: int) -> Any:
        now = self.world.clock.now()
        with self.world.writing() as session:
            row = Handset(
                centre_id=self.world.org.centre, asset_tag=f"SIM-{number}", serial=identity.serial,
                brand=identity.brand, model=identity.model, specification={}, created_at=now, updated_at=now,
            )  # fmt: skip
            row.imeis = [HandsetImei(imei=imei, slot=n) for n, imei in enumerate(identity.imeis, 1)]
            session.add(row)
            session.flush()
            return row.id

    def look(self) -> None:
        """A round of readings, and what follows from it."""
        self.world.clock.move(20)
        self.site.read()
        assert self.site.report()
        self.world.run()

    def order(self, number: int, act: Any = order, **more: Any) -> None:
        case = self.case(number)
        with self.world.writing() as session:
            act(
                session,
                self.world.who("lead"),
                tools(),
                case.id,
                reason="x",
                now=self.world.clock.now(),
                **more,
            )

    def carry_out(self) -> None:
        """The gateway reads, which fetches what waits, carries it out, and tells."""
        self.world.clock.move(20)
        self.site.read()
        assert self.site.report()
        self.site.work()
        assert self.site.report()

    def case(self, number: int) -> Any:
        self.world.phones.ids["S1"] = self.ids[number]
        return self.world.case(GAME)


@pytest.fixture
def place(world: World, tmp_path: Path) -> Iterator[Place]:
    states = [with_apps(0), with_apps(1)]
    world.layer("allowlist", {"forbidden": {GAME: "游戏"}})
    line = Line(lambda sent: to_server(world.app, sent))
    with Fleet(states, "canned") as fleet:
        targets = [f"tcp:127.0.0.1:{port}" for port in fleet.ports]
        site = Site(world.gateway, line, tmp_path / "site", lambda: targets, world.clock.now)
        try:
            yield Place(world, site, states)
        finally:
            site.close()


def has(state: Any) -> bool:
    return any(package.name == GAME for package in state.packages)


def test_one_does_it_and_one_lies(place: Place) -> None:
    honest, liar = place.states
    liar.removal_lies = {GAME: {L.UNINSTALL_SAYS_SUCCESS, L.DISABLE_SAYS_DONE, L.SUSPEND_SAYS_DONE}}
    place.look()
    for number in (0, 1):
        assert place.case(number).state == "told_butler"
        place.order(number, accept_loss=True)
    place.carry_out()
    assert (has(honest), has(liar)) == (False, True)
    assert (place.case(0).state, place.case(0).outcome) == ("checking", "uninstalled")
    assert (place.case(1).state, place.case(1).why, place.case(1).outcome) == (
        "task",
        "unchanged",
        "unchanged",
    )
    place.look()
    assert place.case(0).state == "removed"
    assert place.case(1).state == "task", "never removed, whatever the phone says"
    assert [step for step in place.world.steps(GAME) if step == "verify"] == []
    # Somebody puts it back.
    honest.packages.append(Package(GAME, 7000, "1.7", uid=10401))
    place.look()
    again = place.case(0)
    assert (again.state, again.returns) == ("told_butler", 1)


def test_what_can_only_be_disabled_can_be_given_back(place: Place) -> None:
    phone = place.states[0]
    phone.removal_lies = {GAME: {L.INTERNAL_ERROR}}
    place.look()
    place.order(0, accept_loss=True)
    place.carry_out()
    place.look()
    assert (place.case(0).state, place.case(0).outcome) == ("removed", "disabled")
    assert has(phone)
    place.order(0, restore)
    place.carry_out()
    assert place.case(0).state == "restored"
    place.look()
    assert place.case(0).state == "told_butler", "the list still decides"
