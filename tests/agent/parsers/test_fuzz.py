"""Texts that no phone ever printed: the proof's own fuzz, a few hundred of them."""

from __future__ import annotations

from bench.readers import PARSERS, run


def test_no_parser_falls_over_what_was_never_printed() -> None:
    found = run(seconds=3600, seed=7, texts=80)
    assert found.failures == []
    assert found.texts == 80
    assert found.answers + found.refusals == 80 * len(PARSERS)
    assert min(found.answers, found.refusals) > 400
