"""What is done before the workers are forked holds for every template and table, and keeps no connection open."""

from __future__ import annotations

import pytest
from flask import Flask

from app.warming import warm


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_template_compiles(app: Flask) -> None:
    warm(app)
    cached = app.jinja_env.cache
    assert cached is not None
    assert len(cached) >= min(len(app.jinja_env.list_templates()), 400)
