"""The pages that put the rooms together: phones with their state, one phone, gateways, commands."""

from app.overview.words import COMMAND as COMMAND_WORDS
from app.overview.words import COMMAND_KINDS
from app.overview.words import VERDICT as VERDICT_WORDS

__all__ = ["COMMAND_KINDS", "COMMAND_WORDS", "VERDICT_WORDS"]
