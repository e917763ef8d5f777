"""The monthly round (R07, U07): passwords checked unseen, profiles looked at, unauthorised changes settled."""

from app.credchecks.last import LastCheck, last_check
from app.credchecks.life import life_events

__all__ = ["LastCheck", "last_check", "life_events"]
