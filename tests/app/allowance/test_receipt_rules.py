"""A receipt is what its content says, whole."""

from __future__ import annotations

import io

import pytest

from app.allowance.receipt_rules import media_type
from tests.app.allowance.receipts import jpeg, pdf, png

WHOLE = {"application/pdf": pdf(), "image/png": png(), "image/jpeg": jpeg()}


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_files(kind):
    assert media_type(WHOLE[kind]) == kind


@pytest.mark.parametrize("kind", WHOLE)
def test_torn_files_are_none(kind):
    data = WHOLE[kind]
    for cut in range(len(data) - 1):
        assert media_type(data[:cut]) is None, cut


@pytest.mark.parametrize(
    "data", [b"", b"<html><script>", b"MZ\x90", b"\xff\xd8\xff", b"%PDF-", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_receipt(data):
    assert media_type(data) is None


def test_a_png_with_a_wrong_checksum_is_none():
    data = bytearray(png())
    data[20] ^= 1
    assert media_type(bytes(data)) is None


def test_a_frame_without_a_size_is_none():
    assert media_type(jpeg().replace(b"\x08\x00\x01\x00\x01\x01", b"\x08\x00\x00\x00\x00\x01")) is None


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_pictures_of_a_real_encoder(form):
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", (64, 48), "white").save(out, form)
    assert media_type(out.getvalue()) == f"image/{form.lower()}"
