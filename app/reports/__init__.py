"""Customers' reports (R02): a public form behind a code of each post, judged by staff before it is evidence."""

from app.reports.code_service import report_code
from app.reports.intake_service import take_reports
from app.reports.service import report_facts

__all__ = ["report_code", "report_facts", "take_reports"]
