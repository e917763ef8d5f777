"""The engine against fleets of known truth: a small seeded slice of `make prove`; and that the score would notice."""

from __future__ import annotations

import pytest

from app.uptime import rules
from bench.uptime_truth import failures, figures, site, table

SLICE = {"phones": 8, "days": 30}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_is_wronged_and_what_is_provable_is_called_off(seed: int) -> None:
    found = site(seed, **SLICE)
    assert failures(found) == []
    assert found["strikes"] > 0
    assert found["off as off"] > 0


def test_the_same_seed_gives_the_same_figures() -> None:
    assert site(4, **SLICE) == site(4, **SLICE)


def test_an_engine_that_calls_every_gap_off_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_doubt", lambda *_: None)
    wrong = "\n".join(failures(site(1, **SLICE)))
    assert "on called off" in wrong
    assert "boots nobody met" in wrong


def test_an_engine_that_never_calls_off_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_doubt", lambda *_: "no_shutdown_mark")
    [wrong] = failures(site(1, **SLICE))
    assert "only 0.00% was called off" in wrong


def test_the_plain_rules_wrong_people_in_the_same_fleet() -> None:
    found = figures(site(1, phones=20, days=30))
    for rule in ("silent 10 min", "silent 120 min", "4 tries failed"):
        assert found[f"{rule}: on called off"] > 100 * max(found["wrong: on called off"], 1)
        assert found[f"{rule}: wrong cancellations"] > found["wrong: cancellations"] == 0


def test_the_table_names_what_must_be_none() -> None:
    told = table(site(1, phones=1, days=3))
    assert "wrong: cancellations" in told
    assert told.splitlines()[1].startswith("on ")
