from tests.app.conftest import (
    _built,
    _postgres_url,
    _sqlite_file,
    _sqlite_template,
    clock,
    database_url,
    make_app,
)

__all__ = ["_built", "_postgres_url", "_sqlite_file", "_sqlite_template", "clock", "database_url", "make_app"]
