"""What a finished command leaves behind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """A command's output and exit code (0 to 255); in canned mode `gone`: the connection ends instead of an
    answer; `silent`: none ever comes.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0
    gone: bool = False
    silent: bool = False


def said(text: str) -> Output:
    """`text` on standard output, exit code 0; bytes of an argument that are no UTF-8 come out as they came."""
    return Output(text.encode("utf-8", "surrogateescape"))


def failed(text: str, exit_code: int = 1) -> Output:
    """`text` on standard error."""
    return Output(b"", text.encode("utf-8", "surrogateescape"), exit_code)
