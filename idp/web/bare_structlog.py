"""structlog without rich, which it would import (typer brings it) for tracebacks that we never print: 3.4 MB of each server."""

from __future__ import annotations

import importlib
import sys

if "structlog" not in sys.modules and "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # documented: an import of it now raises ModuleNotFoundError
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules["rich"]  # typer may have it
