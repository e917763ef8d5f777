from tests.support.fleet import enroller, gateway, phones, rows
from tests.support.site import site

__all__ = ["enroller", "gateway", "phones", "rows", "site"]
