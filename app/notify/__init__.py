"""Notices: an inbox for each person, mail and SMS to him, counts without names to a centre's group robots."""

from app.notify.channels import Letter, NotSent, send_mail
from app.notify.inbox import unread_count
from app.notify.rules import retry_at
from app.notify.service import Recipients, tell

__all__ = ["Letter", "NotSent", "Recipients", "retry_at", "send_mail", "tell", "unread_count"]
