"""The table: for people on the terminal, and in Markdown for docs/performance.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.load.first_look import FirstLook
    from tests.load.measure import Contender, Row

BEGIN, END = "<!-- written by make bench: begin -->", "<!-- written by make bench: end -->"
DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
_HEAD = ("job", "who", "median ms", "p95 ms", "p99 ms", "per second", "CPU s/1,000", "of it database", "ratio", "goal")
_LIBRARIES = ("uvicorn", "starlette", "sqlalchemy", "asyncpg", "joserfc", "cryptography", "argon2-cffi")


@dataclass(frozen=True)
class Measured:
    """Everything one run found. `append`: entries per second of ours and the floor, alternating."""

    rows: Sequence[Row]
    append: Sequence[tuple[float, float]]
    first_look: FirstLook
    idle: Sequence[float]
    peak: Sequence[float]
    floor_peak: Sequence[float]
    setting: Sequence[str]


async def setting(url: str, workers: int, pace: str) -> list[str]:
    """Describe machine, versions and settings."""
    connection = await asyncpg.connect(url)
    server = await connection.fetchval("SHOW server_version")
    names = ("fsync", "synchronous_commit", "shared_buffers")
    database = ", ".join([f"{name}={await connection.fetchval(f'SHOW {name}')}" for name in names])
    await connection.close()
    load = os.getloadavg()[0]
    return [
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        f"load average at the start {load:.1f} (the load generator, the database and both contenders share the cores)",
        f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in _LIBRARIES)}",
        f"PostgreSQL {server} ({database})",
        f"{workers} workers each, uvloop, httptools, keep-alive; Argon2id 19 MiB, 2 passes, 1 lane; log level info; {pace}",
    ]


def lines(measured: Measured) -> list[str]:
    """Write the report in Markdown."""
    cells = [list(_HEAD)]
    for row in measured.rows:
        for name, contender in (("Gerbang", row.ours), ("floor", row.floor)):
            if contender is not None:
                cells.append([row.job, name, *_numbers(contender), *(_ratio(row) if name == "Gerbang" else ("", ""))])
    cells += _append(measured.append)
    look = measured.first_look
    others = [
        ["memory per worker, idle", "≤ 110 MB", _megabytes(measured.idle)],
        ["memory per worker, highest under load", "≤ 160 MB", _megabytes(measured.peak)],
        ["the floor's, highest", "", _megabytes(measured.floor_peak)],
        ["embedded default: idle process", "≤ 110 MB", f"{look.idle:.0f} MB"],
        ["embedded default: first start, empty folder, to the first answer", "", f"{look.first_start:.2f} s"],
        ["embedded default: start to the first answer", "≤ 2 s", f"{look.later_start:.2f} s"],
        ["sign-in page, first visit, headers included", "≤ 14 KB", _page(look)],
    ]
    return [
        *(f"- {line}" for line in measured.setting),
        "",
        *_table(cells),
        "",
        *_table([["what else", "goal", "found"], *others]),
    ]


def write(text: Sequence[str]) -> None:
    """Put the report between the markers of docs/performance.md."""
    whole = DOCUMENT.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    block = "\n".join([BEGIN, "", *text, "", END])
    written, places = pattern.subn(lambda _: block, whole)
    if places != 1:
        sys.exit(f"{DOCUMENT} has no place for the table: put the lines {BEGIN} and {END} there")
    DOCUMENT.write_text(written, encoding="utf-8")


def _numbers(contender: Contender) -> list[str]:
    program, database = contender.cpu()
    milliseconds = [f"{contender.percentile(share):.1f}" for share in (0.5, 0.95, 0.99)]
    return [*milliseconds, f"{contender.throughput:,.0f}", f"{program + database:.2f}", f"{database:.2f}"]


def _ratio(row: Row) -> tuple[str, str]:
    ratio = row.ratio
    return ("" if ratio is None else f"**{ratio:.2f}**", "" if row.goal is None else f"{row.goal:.2f}")


def _append(pairs: Sequence[tuple[float, float]]) -> list[list[str]]:
    if not pairs:
        return []
    ordered = sorted(pairs, key=lambda pair: pair[0] / pair[1])
    own, raw = ordered[len(ordered) // 2]
    blank = ["", "", ""]
    return [
        ["log append, in process", "Gerbang", *blank, f"{own:,.0f}", "", "", f"**{own / raw:.2f}**", "0.70"],
        ["log append, in process", "floor", *blank, f"{raw:,.0f}", "", "", "", ""],
    ]


def _megabytes(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values) + " MB"


def _page(look: FirstLook) -> str:
    return f"{sum(look.page.values()):,} bytes ({', '.join(f'{name} {size:,}' for name, size in look.page.items())})"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    written = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    return [written[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *written[1:]]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
