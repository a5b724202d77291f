"""What the suite is given: plans, and what its browser does on our pages, read from the JSON files beside this module."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Plan:
    """A plan of the suite.

    `clients`: the applications it uses, place in the configuration → file in clients/. `client`: what the suite shall know of each besides
    its credentials. `more`: further parts of the configuration. `fresh`: modules that need applications which nobody knows yet.
    `person`: a real browser opens what the suite wants opened, not the suite's own.
    """

    key: str
    plan: str
    variant: Mapping[str, str] = field(default_factory=dict)
    clients: Mapping[str, str] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    fresh: Sequence[str] = ()
    person: bool = False

    @property
    def title(self) -> str:
        """The plan's name with the variant, as the suite's own lists write it."""
        return self.plan + "".join(f"[{name}={value}]" for name, value in self.variant.items())


def read_plans() -> list[Plan]:
    """Read `plans.json`."""
    return [Plan(**entry) for entry in json.loads((HERE / "plans.json").read_text(encoding="utf-8"))]


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Put `values` into the {places} of every text in a JSON value."""
    if isinstance(value, dict):
        return {filled(name, values): filled(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, values) for inner in value]
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace("{" + name + "}", text)
    return value


def browser(values: Mapping[str, str]) -> dict[str, Any]:
    """Give the configuration's "browser", and "override" for the modules that must see another page than the usual ones.

    An address with "once " before it holds for its first visit only.
    """
    steps = json.loads((HERE / "browser.json").read_text(encoding="utf-8"))

    def visit(match: str, names: list[str]) -> dict[str, Any]:
        tasks = [steps["tasks"][name] for name in names]
        once = match.removeprefix("once ")
        return {"match": once, "tasks": tasks} | ({"match-limit": 1} if once != match else {})

    def visits(named: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        first = {**named, **{match: names for match, names in steps["visits"].items() if match not in named}}
        return [visit(match, names) for match, names in first.items()]

    override = {module: {"browser": visits(named)} for module, named in steps["modules"].items()}
    result: dict[str, Any] = filled({"browser": visits({}), "override": override}, values)
    return result


def client_document(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Read the registration of an application from clients/."""
    document: dict[str, Any] = filled(json.loads((HERE / "clients" / f"{name}.json").read_text(encoding="utf-8")), values)
    return document
