"""A receipt is what its content says, whole; of a photo nothing is kept but the picture."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image

from app.allowance.claims import take_receipt
from app.allowance.receipt_rules import MAX_BYTES, is_pdf
from app.kernel.errors import Invalid, TooLarge
from tests.app.allowance.receipts import jpeg, pdf, png


def test_a_pdf_is_kept_as_it_is():
    kept = take_receipt(pdf())
    assert (kept.data, kept.media_type) == (pdf(), "application/pdf")
    assert kept.sha256 == hashlib.sha256(pdf()).hexdigest()


def test_a_torn_pdf_is_none():
    for cut in range(len(pdf()) - 1):
        assert not is_pdf(pdf()[:cut]), cut


def test_a_photo_tells_nothing_but_its_picture():
    exif = Image.Exif()
    exif[0x010F] = "SECRETPHONE"
    exif[0x8825] = {1: "N", 2: (31.0, 13.0, 59.0)}
    raw = jpeg(exif=exif, comment=b"SECRETPLACE")
    kept = take_receipt(raw)
    assert kept.media_type == "image/jpeg"
    assert b"SECRET" not in kept.data
    assert not Image.open(io.BytesIO(kept.data)).getexif()
    assert kept.sha256 == hashlib.sha256(raw).hexdigest(), "the same file is known again"
    assert take_receipt(raw) == kept


def test_a_png_becomes_a_photo_too():
    assert take_receipt(png()).media_type == "image/jpeg"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>",
        b"MZ\x90",
        b"\xff\xd8\xff",
        b"%PDF-",
        b"\x89PNG\r\n\x1a\n",
        png()[:45],
        jpeg()[:-40],
    ],
)
def test_what_is_no_receipt(data):
    with pytest.raises(Invalid) as refused:
        take_receipt(data)
    assert refused.value.fields[0].field == "receipt"


def test_a_file_that_is_too_large():
    with pytest.raises(TooLarge):
        take_receipt(b"%PDF-" + b"0" * MAX_BYTES)
