"""Make the fonts that printed forms carry: `python -m scripts.fonts PACKAGE`, run once for a new edition of the font.

PACKAGE is the unpacked npm package `@expo-google-fonts/noto-sans-sc`; `pyftsubset` (of fonttools) must be on the path.
Regular keeps every character; Bold, for headings, those of GB 2312 and the rare characters of names beyond the basic
plane. Hinting and layout tables, which the printer does not use, are left out.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "app" / "papers" / "fonts"
_DROPPED = "--drop-tables+=vhea,vmtx,BASE,STAT"
_PLAIN = ("--layout-features=", "--no-hinting", "--name-IDs=*", "--notdef-outline", _DROPPED)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    package = Path(sys.argv[1])
    _subset(package / "400Regular" / "NotoSansSC_400Regular.ttf", "NotoSansSC-Regular.ttf", "*")
    _subset(package / "700Bold" / "NotoSansSC_700Bold.ttf", "NotoSansSC-Bold.ttf", _bold())
    (TARGET / "OFL.txt").write_bytes((package / "LICENSE_FONT").read_bytes())
    for path in sorted(TARGET.iterdir()):
        print(f"{path.name}: {path.stat().st_size} bytes")
    return 0


def _subset(source: Path, name: str, unicodes: str) -> None:
    subprocess.run(
        ["pyftsubset", str(source), f"--unicodes={unicodes}", f"--output-file={TARGET / name}", *_PLAIN],
        check=True,
    )


def _bold() -> str:
    """GB 2312, Latin, punctuation, and the whole planes beyond the basic one."""
    found = {*range(0x20, 0x180), *range(0x2000, 0x2070), 0x4DAE}
    for high in range(0xA1, 0xFF):
        for low in range(0xA1, 0xFF):
            found.update(ord(c) for c in bytes([high, low]).decode("gb2312", errors="ignore"))
    return ",".join([*(f"{point:X}" for point in sorted(found)), "20000-3FFFF"])


if __name__ == "__main__":
    sys.exit(main())
