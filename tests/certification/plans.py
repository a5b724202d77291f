"""What the suite is given: plans, and what its browser does on our pages, read from the JSON files beside this module."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
ALIAS = "gerbang"


@dataclass(frozen=True)
class Plan:
    """A plan of the suite: its `variant`, the applications it uses (place in the configuration → file in clients/), and more of it."""

    key: str
    plan: str
    variant: Mapping[str, str] = field(default_factory=dict)
    clients: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

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
    """Give the configuration's "browser", and "override" for the modules that must see another page than the usual ones."""
    steps = json.loads((HERE / "browser.json").read_text(encoding="utf-8"))
    tasks = steps["tasks"]

    def visits(named: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        return [{"match": match, "tasks": [tasks[name] for name in names]} for match, names in named.items()]

    usual = steps["visits"]
    override = {module: {"browser": visits(usual | named)} for module, named in steps["modules"].items()}
    result: dict[str, Any] = filled({"browser": visits(usual), "override": override}, values)
    return result


def client_document(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Read the registration of an application from clients/."""
    document: dict[str, Any] = filled(json.loads((HERE / "clients" / f"{name}.json").read_text(encoding="utf-8")), values)
    return document
