"""Notices: an inbox for each person, mail and SMS to him, counts without names to a centre's group robots."""

from app.notify.service import Recipients, tell

__all__ = ["Recipients", "tell"]
