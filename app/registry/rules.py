"""What a well-formed identifier is. Plain values only; `normal_…` returns the one stored form or raises `ValueError`.

The messages are for office staff: what is wrong, and what to do, Chinese first.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from stdnum import luhn

_PLACEHOLDER_SERIALS = frozenset(
    {"", "unknown", "null", "none", "default", "0123456789abcdef", "0123456789", "123456789", "1234567890"}
    | {"1234567890abcdef", "012345678912345", "alps", "android", "mt6580", "c4f12fdd949f22f"}
)
_SERIAL = re.compile(r"[A-Za-z0-9._:-]{4,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SEPARATORS = re.compile(r"[\s\-]+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?[eE][+-]?\d+")
AS_TEXT = "请将该列设为文本格式后重新填写：Excel 已丢失末尾或开头的数字 / format the column as text: digits are lost"


def clean_text(text: str, limit: int) -> str:
    """Trimmed, NFC, one line, 1 to `limit` characters; a control character (PostgreSQL takes no NUL) is refused."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise ValueError("不能为空 / must not be empty")
    if len(text) > limit:
        raise ValueError(f"最多 {limit} 个字符 / at most {limit} characters")
    if _CONTROL.search(text):
        raise ValueError("含有不可见的控制字符，请删除 / holds control characters")
    return text


def clean_note(text: str, limit: int) -> str:
    """Like `clean_text`, but lines may follow one another."""
    lines = [clean_text(line, limit) if line.strip() else "" for line in text.splitlines()]
    return clean_text(lines[0], limit) if len(lines) == 1 else _bounded("\n".join(lines).strip(), limit)


def _bounded(text: str, limit: int) -> str:
    if not 0 < len(text) <= limit:
        raise ValueError(f"请填写 1 至 {limit} 个字符 / 1 to {limit} characters")
    return text


def normal_code(text: str, limit: int = 40) -> str:
    """A code that people type and files name: no blanks inside, full-width forms made plain."""
    text = clean_text(unicodedata.normalize("NFKC", text), limit)
    refuse_scientific(text)
    if re.search(r"\s", text):
        raise ValueError("中间不能有空格 / no blanks inside")
    return text


def refuse_scientific(text: str) -> None:
    """`8.98600E+19` is what a spreadsheet leaves of a long number."""
    if _SCIENTIFIC.fullmatch(text):
        raise ValueError(AS_TEXT)


def placeholder_serial(serial: str) -> bool:
    """Whether a serial is one that makers put on every phone, so that it names none."""
    text = serial.strip().lower()
    return text in _PLACEHOLDER_SERIALS or len(set(text)) <= 1


def normal_serial(text: str) -> str:
    text = clean_text(unicodedata.normalize("NFKC", text), 64)
    refuse_scientific(text)
    if placeholder_serial(text):
        raise ValueError("这是厂家的占位序列号，不能识别手机 / a placeholder serial identifies no phone")
    if not _SERIAL.fullmatch(text):
        raise ValueError("序列号为 4 至 64 位字母、数字或 . _ : - / 4 to 64 letters, digits or . _ : -")
    return text


def normal_imei(text: str) -> str:
    """15 digits with a right check digit; blanks and hyphens are dropped, a 16-digit IMEISV is refused."""
    digits = _digits(text)
    if not re.fullmatch(r"[0-9]{15}", digits):
        raise ValueError("IMEI 应为 15 位数字（拨 *#06# 查看）/ an IMEI has 15 digits (dial *#06#)")
    if len(set(digits)) == 1:
        raise ValueError("这是占位 IMEI，不能识别手机 / a placeholder IMEI identifies no phone")
    if not luhn.is_valid(digits):
        raise ValueError("IMEI 校验位不对，请核对 / the IMEI's check digit is wrong")
    return digits


def normal_iccid(text: str) -> str:
    """19 or 20 digits, beginning with 89, with a right check digit; a filler F at the end is dropped."""
    digits = _digits(text).upper()
    digits = digits.removesuffix("F")
    if not re.fullmatch(r"89[0-9]{17,18}", digits):
        raise ValueError(
            "ICCID 应为 89 开头的 19 或 20 位数字 / an ICCID has 19 or 20 digits and begins with 89"
        )
    if not luhn.is_valid(digits):
        raise ValueError("ICCID 校验位不对，请核对 / the ICCID's check digit is wrong")
    return digits


def normal_e164(text: str) -> str:
    """E.164; a number without country code is a Chinese one."""
    refuse_scientific(text.strip())
    plain = unicodedata.normalize("NFKC", text).strip()
    if not re.fullmatch(r"\+?[0-9 ()\-]{5,25}", plain):
        raise ValueError(
            "手机号只能有数字，可带 + 和国家码 / digits only, with + and country code if foreign"
        )
    try:
        number = phonenumbers.parse(plain, "CN")
    except phonenumbers.NumberParseException:
        raise ValueError("不是有效的电话号码 / no valid telephone number") from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError("不是有效的电话号码 / no valid telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _digits(text: str) -> str:
    refuse_scientific(text.strip())
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
