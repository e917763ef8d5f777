from __future__ import annotations

import pytest
from flask import Flask

from tests.support.browser import Browser
from tests.support.fleet import phones, rows
from tests.support.kits import kit

__all__ = ["kit", "phones", "rows"]


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)
