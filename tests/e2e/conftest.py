from tests.app.conftest import (
    _built,
    _postgres,
    _sqlite_file,
    _sqlite_template,
    clock,
    database_url,
    make_app,
    sqlite_url,
)

__all__ = [
    "_built",
    "_postgres",
    "_sqlite_file",
    "_sqlite_template",
    "clock",
    "database_url",
    "make_app",
    "sqlite_url",
]
