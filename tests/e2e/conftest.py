from tests.app.conftest import _sqlite_template, clock, database_url, make_app

__all__ = ["_sqlite_template", "clock", "database_url", "make_app"]
