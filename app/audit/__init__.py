"""The audit trail: what was done, by whom, to what; each event chained to the one before."""

from app.audit.service import AuditEvent, Verification, record, verify

__all__ = ["AuditEvent", "Verification", "record", "verify"]
