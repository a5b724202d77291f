"""Drive plans of a running conformance suite against a provider started here, and write docs/conformance.md."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import fnmatch
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import typer

from tests.certification import report
from tests.certification.person import person
from tests.certification.plans import read_plans
from tests.certification.provider import tested
from tests.certification.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.certification.person import Person
    from tests.certification.plans import Plan
    from tests.certification.provider import Tested
    from tests.certification.suite import Outcome, Run

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
KEY_ROTATION = "oidcc-server-rotate-keys"
"""This module waits until somebody has rotated the keys."""


def run_plan(suite: Suite, provider: Tested, plan: Plan, only: str) -> list[Outcome]:
    """Run the modules of a plan whose names match `only`, one after the other."""
    plan_id, modules = suite.plan(plan.plan, plan.variant, provider.configuration(plan))
    typer.echo(f"\n{plan.title}\n  {suite.url}/plan-detail.html?plan={plan_id}")
    chosen = [(module["testModule"], module.get("variant") or {}) for module in modules if fnmatch.fnmatch(module["testModule"], only)]
    return [run_module(suite, provider, plan, suite.start(plan_id, name, variant)) for name, variant in chosen]


def run_module(suite: Suite, provider: Tested, plan: Plan, run: Run) -> Outcome:
    """Follow a module to its end, and tell how it ended."""
    with person(provider.values) if plan.person else contextlib.nullcontext() as visitor:
        for status in suite.states(run):
            if status == "CONFIGURED":
                if run.module == KEY_ROTATION:
                    provider.rotate_keys()
                suite.proceed(run)
            if visitor and status == "WAITING":
                open_all(suite, run, visitor)
    outcome = suite.outcome(run)
    typer.echo(f"  {outcome.result:10} {run.module}")
    for line in (*outcome.findings, outcome.log) if outcome.findings else ():
        typer.echo(f"    {line}")
    return outcome


def open_all(suite: Suite, run: Run, visitor: Person) -> None:
    """Open what the suite wants opened."""
    for url in suite.visits(run):
        suite.visited(run, url)
        visitor.visit(url)


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; 1 when a module failed."""
    plans = read_plans()
    parser = argparse.ArgumentParser(prog="python -m tests.certification", description=__doc__)
    parser.add_argument("suite", help="the address of a running suite, like https://localhost:8443")
    parser.add_argument("--plan", action="append", choices=[plan.key for plan in plans], help="only this plan; may be repeated")
    parser.add_argument("--module", default="*", help="only modules whose names match (* and ?); nothing is written then")
    parser.add_argument("--folder", type=Path, help="where the provider keeps its data; default: a folder that is removed at the end")
    given = parser.parse_args(arguments)
    suite = Suite(given.suite)
    try:
        version = suite.version()
    except httpx2.HTTPError as error:
        sys.exit(f"No conformance suite answers at {given.suite} ({error}). Start one; this project neither builds nor fetches it.")
    with tempfile.TemporaryDirectory() as scratch, tested(given.folder or Path(scratch), suite.url) as provider:
        results = {plan.title: run_plan(suite, provider, plan, given.module) for plan in plans if not given.plan or plan.key in given.plan}
    if given.module == "*":
        report.write(DOCUMENT, version, dt.datetime.now(dt.UTC).date(), results, [plan.title for plan in plans])
    for title, outcomes in results.items():
        typer.echo(f"{title}: {report.summary(outcomes)}")
    return int(
        any(outcome.result not in {"PASSED", "SKIPPED", "REVIEW", "WARNING"} for outcomes in results.values() for outcome in outcomes)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
