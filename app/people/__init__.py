"""Users, what each may do where, and who stands in for whom. Login comes later; the shapes are decided here."""

from app.people.service import principal_of

__all__ = ["principal_of"]
