"""docs/conformance.md: which version of the suite said what, on which day, of which plan and module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.certification.suite import Outcome

HEAD = """# Conformance

What the OpenID Foundation's conformance suite says of this provider. `make certification SUITE=https://localhost:8443` writes it: it
starts the provider over https with the plans, applications and browser steps in `tests/certification/`. It needs the address of a
running suite (the suite is foreign: this project neither builds nor fetches it). A run of some plans leaves the others as they are.

PASSED and SKIPPED (the module does not apply to what this provider offers) certify; REVIEW is a pass with a picture of a page that a
person looks at before certification; a WARNING certifies too, and we want none.

The suite of 2026-11-24 was compiled from revision 12f2a4dac of its public source, without the conditions on mobile documents (mdoc), whose
library was not to be had; no plan of this list uses them.
"""


def write(file: Path, suite: str, day: dt.date, results: Mapping[str, Sequence[Outcome]], order: Sequence[str]) -> None:
    """Write the results of the plans, keeping the sections of other plans that the file has already, in the `order` of all titles."""
    sections = _sections(file) | {title: _section(title, suite, day, outcomes) for title, outcomes in results.items()}
    ordered = {title: sections[title] for title in order if title in sections}
    file.write_text("\n".join([HEAD, _overview(ordered), *ordered.values()]), encoding="utf-8")


def _overview(sections: Mapping[str, str]) -> str:
    """Repeat the second line of every section in one table."""
    told = {title: re.search(r"^Suite (.*): (.*)\.$", section, re.MULTILINE) for title, section in sections.items()}
    rows = [f"| {title} | {line[1]} | {line[2]} |" for title, line in told.items() if line]
    return "\n".join(["| plan | suite and day | modules |", "| --- | --- | --- |", *rows]) + "\n"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Count the outcomes, as in "36 PASSED, 2 SKIPPED"."""
    kinds = sorted({outcome.result for outcome in outcomes})
    return ", ".join(f"{sum(outcome.result == kind for outcome in outcomes)} {kind}" for kind in kinds)


def _sections(file: Path) -> dict[str, str]:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].removeprefix("## "): part.rstrip() + "\n" for part in parts}


def _section(title: str, suite: str, day: dt.date, outcomes: Sequence[Outcome]) -> str:
    lines = [f"## {title}", "", f"Suite {suite}, {day}: {summary(outcomes)}.", "", "| module | outcome |", "| --- | --- |"]
    for outcome in outcomes:
        found = "".join(f"<br>{finding}" for finding in outcome.findings).replace("|", "\\|").replace("\n", " ")
        kind = (
            f" ({outcome.run.variant['response_type']})"
            if len({told.run.variant.get("response_type") for told in outcomes} - {None}) > 1
            else ""
        )
        lines.append(f"| `{outcome.run.module}`{kind} | {outcome.result}{found} |")
    return "\n".join(lines) + "\n"
