from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from agent import logs


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("agent")
    before = (logger.handlers, logger.level, logger.propagate)
    yield logger
    logger.handlers, logger.level, logger.propagate = before


def test_what_others_say_stays_one_harmless_line(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(verbose=False)
    logger.getChild("x").info("server said %s", "a\nERROR forged\x1b[31m 微信")
    logger.getChild("x").debug("not without --verbose")
    err = capsys.readouterr().err
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO agent\.x server said a.ERROR forged.\[31m 微信\n", err
    )


def test_an_unforeseen_error_tells_its_kind_and_place_but_not_what_a_phone_said(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(verbose=False)
    try:
        try:
            raise ValueError("13800138000@example.cn")
        except ValueError as exc:
            raise RuntimeError("of 13800138000") from exc
    except RuntimeError:
        logger.exception("reading failed")
    said = capsys.readouterr().err
    assert "reading failed" in said
    assert re.search(r"RuntimeError at test_logs\.py:\d+:\w+ <- ValueError at ", said)
    assert "13800138000" not in said
