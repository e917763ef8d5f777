"""The label that is stuck on a phone: asset tag, and a QR code where the server has an address to put into it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError
from agent.logs import printable

if TYPE_CHECKING:
    from segno import QRCode

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{tag}</title><style>
@page {{ size: 60mm 40mm; margin: 0 }}
body {{ margin: 0; width: 60mm; height: 40mm; display: flex; align-items: center; gap: 2mm;
  padding: 2mm; box-sizing: border-box; font: 3mm/1.5 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif }}
svg {{ width: 30mm; height: 30mm; flex: none }}
p {{ margin: 0; overflow-wrap: anywhere }}
.tag {{ font-size: 4mm; font-weight: bold }}
</style></head><body>{code}<div><p class="tag">{tag}</p><p>{model}</p><p>序列号 {serial}</p></div></body></html>
"""


class LabelError(AgentError):
    """A label's file cannot be written."""


@dataclass(frozen=True)
class Label:
    """`url` is what the QR code opens; None: the server has no public address, so there is no code."""

    asset_tag: str
    model: str
    serial: str
    url: str | None

    def text(self) -> str:
        """The label for a terminal, with the code if there is one."""
        lines = f"资产编号 {self.asset_tag}\n型号     {self.model}\n序列号   {self.serial}\n"
        if self.url is None:
            return lines + "没有二维码：服务器未设置 PUBLIC_URL · no QR code: the server has no PUBLIC_URL\n"
        drawn = StringIO()
        self._code().terminal(drawn, compact=True, border=2)
        return f"{drawn.getvalue()}{lines}{printable(self.url)}\n"

    def write(self, folder: Path) -> list[Path]:
        """Write `.svg`, `.png` and a printable `.html`; nothing without a URL. Raise `LabelError`."""
        if self.url is None:
            return []
        name = re.sub(r"[^\w-]", "_", f"{self.asset_tag}-{self.serial}")[:100]
        files = [folder / f"{name}.{kind}" for kind in ("svg", "png", "html")]
        code = self._code()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            code.save(str(files[0]), scale=4, border=4)
            code.save(str(files[1]), scale=8, border=4, dpi=300)
            files[2].write_text(self._page(), encoding="utf-8")
        except OSError as exc:
            raise LabelError(f"cannot write the label into {folder}: {exc.strerror}") from exc
        return files

    def _page(self) -> str:
        drawing = self._code().svg_inline(scale=4, border=4, omitsize=True)
        tag, model, serial = (escape(part) for part in (self.asset_tag, self.model, self.serial))
        return _PAGE.format(tag=tag, model=model, serial=serial, code=drawing)

    def _code(self) -> QRCode:
        import segno

        try:
            return segno.make_qr(self.url or "", error="m")
        except segno.DataOverflowError as exc:
            raise LabelError("the label's address is too long for a code") from exc
