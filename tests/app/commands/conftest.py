from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows"]
