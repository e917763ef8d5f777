from tests.app.wipe.wipe_world import world
from tests.support.fleet import enroller, gateway, phones

__all__ = ["enroller", "gateway", "phones", "world"]
