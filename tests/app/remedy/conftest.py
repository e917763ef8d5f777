from tests.app.remedy.remedy_world import world
from tests.support.fleet import enroller, gateway, phones

__all__ = ["enroller", "gateway", "phones", "world"]
