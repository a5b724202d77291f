"""The page that checks an export or a history file without a network: one file, made of the parts in `offline/` and our stylesheet.

Its policy (CSP) allows the one script and the one style that it carries, by their hashes, and nothing else: it cannot send anything.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from typing import Final

from idp.pages.assets import FOLDER as STATIC

NAME: Final = "verify.html"
PARTS: Final = Path(__file__).parent / "offline"
SCRIPTS: Final = (
    "hash.js",
    "ed25519.js",
    "formats.js",
    "findings.js",
    "succession.js",
    "witnesses.js",
    "export.js",
    "history.js",
    "receipt.js",
    "words.js",
    "page.js",
)
"""In the order in which they need each other."""
_GLYPH: Final = Path(__file__).parents[1] / "pages" / "templates" / "glyph.svg"


@functools.cache
def offline_page() -> bytes:
    """Give the page, in UTF-8; the same bytes for one version of the program."""
    script = '"use strict";(() => {\n' + "".join(_read(PARTS / name) for name in SCRIPTS) + "})();"
    style = _read(STATIC / "gerbang.css") + _read(PARTS / "page.css")
    allowed = f"script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    values = {
        "policy": f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "glyph": _read(_GLYPH).strip(),
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: values[found[1]], _read(PARTS / "page.html")).encode()


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """CSP Level 3 §2.3.1: the hash of what stands between the tags, to the byte."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
