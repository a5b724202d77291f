"""`python -m tests.load.verifying [SIZE …]`: how many entries of an export one core verifies in a second; asserts no time.

Each size twice: records as services write them, which differ in little but their time, and records of which no two are alike.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from consent.verify import verify_folder
from consent.verify_bulk import Bulk
from tests.support import synthetic_log

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = (100_000, 1_000_000)
GOAL = 100_000


def measured(size: int) -> tuple[float, float, int]:
    """Give entries per second: of records alike, of records all different; and the highest memory in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "export"
        synthetic_log.write_export(folder, size)
        alike = _timed(folder, size)
        remembered, Bulk.remembered = Bulk.remembered, 0  # each record is read anew, as if it were the first of its kind
        different = _timed(folder, size)
        Bulk.remembered = remembered
    return alike, different, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _timed(folder: Path, size: int) -> float:
    began = time.perf_counter()
    verdict = verify_folder(folder, synthetic_log.verifier_key())
    taken = time.perf_counter() - began
    assert verdict.holds
    return size / taken


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    sys.stdout.write("| entries | verified per second | no two records alike | highest memory |\n|---|---|---|---|\n")
    for size in map(int, arguments or SIZES):
        alike, different, memory = measured(size)
        sys.stdout.write(f"| {size:,} | {alike:,.0f} | {different:,.0f} | {memory} MB |\n")


if __name__ == "__main__":
    main(sys.argv[1:])
