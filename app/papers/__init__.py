"""Papers: documents that people sign, numbered, signed by the installation, printed, and checked by anybody later."""

from app.papers.document import (
    Column,
    Document,
    Fields,
    Photo,
    Photos,
    Signatures,
    Signed,
    Table,
    Text,
    canonical,
    digest,
    from_plain,
    to_plain,
)
from app.papers.ink import Ink, read_ink
from app.papers.kinds import KINDS
from app.papers.listing import papers_of
from app.papers.model import Paper
from app.papers.printing import Press, pdf_of
from app.papers.service import get_paper, issue_paper, papers_about

__all__ = [
    "KINDS",
    "Column",
    "Document",
    "Fields",
    "Ink",
    "Paper",
    "Photo",
    "Photos",
    "Press",
    "Signatures",
    "Signed",
    "Table",
    "Text",
    "canonical",
    "digest",
    "from_plain",
    "get_paper",
    "issue_paper",
    "papers_about",
    "papers_of",
    "pdf_of",
    "read_ink",
    "to_plain",
]
