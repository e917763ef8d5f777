"""R03: what follows a finding: who is told, when, what is removed from a phone, and what people are asked to do."""

from app.remedy.life import life_events
from app.remedy.states import STATE_WORDS, State

__all__ = ["STATE_WORDS", "State", "life_events"]
