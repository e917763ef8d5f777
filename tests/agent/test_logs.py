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


def test_a_traceback_keeps_its_lines(logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(verbose=True)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logger.exception("failed")
    assert "\nTraceback" in capsys.readouterr().err
