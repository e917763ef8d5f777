"""The monthly round (R07, U07): passwords checked unseen, profiles looked at, unauthorised changes settled."""

from app.credchecks.acts import attest
from app.credchecks.last import LastCheck, last_check
from app.credchecks.life import life_events
from app.credchecks.opening import open_round
from app.credchecks.store import items as items_of_round
from app.credchecks.tools import Tools

__all__ = [
    "LastCheck",
    "Tools",
    "attest",
    "items_of_round",
    "last_check",
    "life_events",
    "open_round",
]
