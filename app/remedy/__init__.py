"""R03: what follows a finding: who is told, when, what is removed from a phone, and what people are asked to do."""

from app.remedy.life import life_events
from app.remedy.model import RemedyCase
from app.remedy.states import STATE_WORDS, State
from app.remedy.views import CaseLink, case_links, own_count

__all__ = ["STATE_WORDS", "CaseLink", "RemedyCase", "State", "case_links", "life_events", "own_count"]
