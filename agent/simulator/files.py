"""A phone's files: a real tree in a temporary folder, of which shell may use the parts that it may on a
phone.
"""

import os
import posixpath
import shutil
from pathlib import Path

from agent.simulator.scratch import Scratch

_LINKS = {
    "/sdcard": "/storage/emulated/0",
    "/mnt/sdcard": "/storage/emulated/0",
    "/storage/self/primary": "/storage/emulated/0",
}
WRITABLE = ("/data/local/tmp", "/storage/emulated/0")


class FileError(Exception):
    """A path that shell may not use; the text is the phone's message."""


class PhoneFiles:
    """Maps the phone's absolute paths to the real tree, which is made on first use."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._root: Path | None = None

    @property
    def root(self) -> Path:
        """The folder that stands for `/`."""
        if self._root is None:
            self._root = self._scratch.new("phone-")
            for folder in WRITABLE:
                self._place(folder).mkdir(parents=True)
        return self._root

    def real(self, path: str, *, writing: bool = False) -> Path:
        """The real path of `path`; `..` cannot leave the phone. Raises `FileError` for writing where shell
        may not.
        """
        if "\0" in path:
            raise FileError("Invalid argument")
        clean = posixpath.normpath("/" + path.lstrip("/"))
        for link, target in _LINKS.items():
            if clean == link or clean.startswith(link + "/"):
                clean = target + clean[len(link) :]
        if writing and not any(clean.startswith(folder + "/") for folder in WRITABLE):
            message = "Permission denied" if clean.startswith("/data") else "Read-only file system"
            raise FileError(message)
        return self._place(clean)

    def erase(self, *, but_media: bool = False) -> None:
        """What a factory reset leaves of it: the folders, empty; `but_media`: it forgets the pictures."""
        if self._root is not None:
            for folder in WRITABLE[:1] if but_media else WRITABLE:
                shutil.rmtree(self._place(folder), ignore_errors=True)
                self._place(folder).mkdir(parents=True)

    def media_count(self) -> int:
        """How many files lie in `/sdcard`, those of apps below `Android` left out."""
        if self._root is None:
            return 0
        card = self._place(_LINKS["/sdcard"])
        return sum(
            len(names)
            for at, _, names in os.walk(card)
            if Path(at).relative_to(card).parts[:1] != ("Android",)
        )

    def close(self) -> None:
        """Delete the tree."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None

    def _place(self, path: str) -> Path:
        return self.root / path.lstrip("/") if self._root is None else self._root / path.lstrip("/")
