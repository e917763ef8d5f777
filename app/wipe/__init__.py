"""Wipe: only the named phone is erased, approved by another person, its data being elsewhere (R06)."""

from app.wipe.drafting import open_wipe
from app.wipe.life import life_events
from app.wipe.model import Wipe
from app.wipe.states import State
from app.wipe.store import open_of as open_wipe_of
from app.wipe.tools import Tools
from app.wipe.views import Standing, standing_of

__all__ = ["Standing", "State", "Tools", "Wipe", "life_events", "open_wipe", "open_wipe_of", "standing_of"]
