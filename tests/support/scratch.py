"""Where the tests' databases lie: in memory where the machine has room for them, so that a commit costs no disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30  # a whole run on both databases takes less than one


def scratch() -> Path:
    """Give the folder.

    Every test on PostgreSQL makes and drops a database of some 300 files, and every commit of SQLite waits for the disk. A killed process
    loses nothing in either place; what survives a power cut is the databases' own promise, and no test of ours cuts the power.
    """
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        return MEMORY
    return Path(tempfile.gettempdir())
