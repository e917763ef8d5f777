"""Whether a phone keeps its journal: three values, and a filter, for without it no shutdown can be proved."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.kernel.tenancy import SYSTEM, Principal
from app.probes import journals_now
from app.probes.rules import journal_state
from app.runtime import runtime
from app.uptime import AbsorbedJournal, absorb_journals
from tests.support.browser import words
from tests.support.site import Site

H = dt.timedelta(hours=1)
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
MOST = 6 * H


@pytest.mark.parametrize(
    ("first", "last", "written", "state"),
    [
        (48, 0, 0.5, "kept"),
        (0.5, 0, 0.1, "kept"),
        (48, 0, 5.9, "kept"),
        (48, 5.9, 11, "kept"),
        (48, 0, 6.5, "none"),
        (48, 0, None, "none"),
        (6, 0, None, "none"),
        (5.9, 0, None, "unknown"),
        (0, 0, None, "unknown"),
        (48, 6.1, 6.1, "unknown"),
        (48, 6.1, None, "unknown"),
        (2, 0, 20, "unknown"),
        (5, 0, 0, "kept"),
    ],
)
def test_three_values(first: float, last: float, written: float | None, state: str) -> None:
    at = None if written is None else NOW - written * H
    assert journal_state(NOW - first * H, NOW - last * H, at, NOW, MOST) == state


def told(site: Site, serial: str, uptime_s: float) -> None:
    """A journal of the present boot, as a gateway brings it."""
    one = site.reading(serial)
    with site.session() as session:
        entry = AbsorbedJournal(
            site.phones[serial], site.phones.centre, site.clock.now(), one["boot_id"], one["boot_count"],
            round(uptime_s * 1_000_000), "open", "gateway", site.phones.centre,
        )  # fmt: skip
        absorb_journals(session, [entry])


def states(site: Site) -> dict[str, str]:
    with site.session() as session:
        found = journals_now(session, SYSTEM, runtime().policies, site.clock.now())
        names = {handset_id: serial for serial, handset_id in site.phones.ids.items()}
        return {names[handset_id]: journal.state for handset_id, journal in found.items()}


def test_a_phone_that_is_read_for_long_without_a_line_keeps_none(site: Site, client: Any) -> None:
    assert states(site) == {"S1": "unknown", "S2": "unknown"}
    for _ in range(13):
        site.live(1800)
    up = (site.clock.now() - site.booted["S1"][1]).total_seconds()
    told(site, "S1", up - 3600)
    assert states(site) == {"S1": "kept", "S2": "none"}
    page = words(client.get("/probes").text)
    assert "在记" in page
    assert "没有" in page
    only = client.get("/probes?only=nojournal").text
    assert "GJ-0001" in only
    assert "GJ-0000" not in only
    site.wait(7 * 3600)
    assert states(site) == {"S1": "unknown", "S2": "unknown"}, "who is not read tells nothing"


def test_a_new_boot_begins_anew(site: Site) -> None:
    for _ in range(14):
        site.live(1800)
    assert states(site)["S1"] == "none"
    site.reboot("S1", site.clock.now() - H)
    site.live(60)
    assert states(site)["S1"] == "unknown"


def test_a_foreign_centres_phones_are_not_seen(site: Site) -> None:
    foreign = Principal("u", frozenset({"lead"}), frozenset({site.phones.other_centre}))
    with site.session() as session:
        assert journals_now(session, foreign, runtime().policies, site.clock.now()) == {}
