"""A server does without rich, and whoever wants it afterwards has it."""

from __future__ import annotations

import subprocess
import sys

ASKED = """
import sys
import idp.web.logs
print('rich' in sys.modules, 'structlog' in sys.modules)
import rich
print(rich.__name__)
"""


def test_the_log_is_there_without_rich() -> None:
    said = subprocess.run([sys.executable, "-c", ASKED], check=True, capture_output=True, text=True, timeout=60).stdout
    assert said.splitlines() == ["False True", "rich"]
