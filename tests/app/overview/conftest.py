from __future__ import annotations

import pytest
from flask import Flask

from tests.support.browser import Browser
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows"]


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)
