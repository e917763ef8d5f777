from tests.app.remedy.remedy_world import world
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows", "world"]
