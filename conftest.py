"""Loaded before every test, wherever pytest is pointed at: brings in the shared test support."""

pytest_plugins = ("tests.support.plugin",)
