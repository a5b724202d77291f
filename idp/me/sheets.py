"""Cells of sheets (RFC 4180) that no office program takes for a formula. Pure."""

from __future__ import annotations

import re
from typing import Final

MARK: Final = b"\xef\xbb\xbf"
"""By this mark office programs know UTF-8."""

_BEGINS: Final = re.compile(r"(^|[;,\t\r\n\"])(\s*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\t\r])")


def safe(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula: names and reasons are other people's words.

    A cell also begins where an office program of another country finds its separator: an Indonesian one splits a line at semicolons.
    """
    return _BEGINS.sub(r"\1\2'", cell)
