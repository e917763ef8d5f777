"""Simulated phones: they speak the ADB wire protocol as a phone does. Production code never imports this."""
