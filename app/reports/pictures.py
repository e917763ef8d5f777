"""QR pictures of addresses."""

from __future__ import annotations


def picture(address: str) -> str:
    """The address as a QR picture (SVG in a `data:` address), with a third of it to spare for scratches."""
    import segno

    return str(segno.make(address, error="q", micro=False).svg_data_uri(scale=4, border=4))
