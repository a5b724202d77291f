"""The OpenAPI description says what the routes do, no more and no less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.app import STEPS
from idp.openapi import PATHS

if TYPE_CHECKING:
    from tests.support.application import Application

FOR_PROGRAMS = {
    "backchannel",
    "data_tracker",
    "device",
    "discovery",
    "introspect",
    "log",
    "register",
    "pushed",
    "report_access",
    "revoke",
    "signals",
    "token",
    "userinfo",
}

FOR_PEOPLE = {"/log", "/logos/{client}", "/device", "/device/answer", "/device/done", "/me/requests"}  # pages, and a picture on them


def _routes() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for step in STEPS:
        for route in step.routes if step.__name__.split(".")[1] in FOR_PROGRAMS else ():
            if route.path in FOR_PEOPLE or route.path.startswith("/log/{origin}"):  # described as /log/…
                continue
            found.setdefault(route.path.replace(":path}", "}"), set()).update(
                method.lower() for method in route.methods - {"HEAD", "OPTIONS"}
            )
    return found


def test_every_endpoint_for_programs_is_described_with_its_methods() -> None:
    assert _routes() == {path: set(operations) - {"parameters"} for path, operations in PATHS.items()}


async def test_the_document_is_served_and_its_references_resolve(app: Application) -> None:
    answer = await app.http.get("/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [one for child in value.values() for one in references(child)]
        return [one for child in value for one in references(child)] if isinstance(value, list) else []

    found = references(document["paths"])
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


async def test_refusals_have_the_described_shape(app: Application) -> None:
    described = (await app.http.get("/openapi.json")).json()["components"]["schemas"]["Error"]
    for path in ("/token", "/introspect", "/revoke"):
        body = (await app.http.post(path, data={"x": "y"})).json()
        assert set(described["required"]) <= set(body) <= set(described["properties"])
