"""The agent: reads phones over ADB for the server. It imports nothing of `app`."""

__version__ = "0.1.0"
