"""What every web process would do with its first requests, done once in the process that they are forked from."""

from __future__ import annotations

from flask import Flask
from sqlalchemy.orm import configure_mappers


def warm(app: Flask) -> None:
    """Tie the tables' classes, sort the routes, compile the templates: 15 MB in each process, or once for all."""
    configure_mappers()
    app.url_map.update()
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
