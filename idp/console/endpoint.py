"""The routes of the console (ui.md "Staff and auditors")."""

from __future__ import annotations

from starlette.routing import Route

from idp.console import opening, proposing

routes = [
    Route(proposing.LIST, proposing.show_all, methods=["GET"]),
    Route(proposing.NEW, proposing.form, methods=["GET"]),
    Route(proposing.NEW, proposing.propose, methods=["POST"]),
    Route(proposing.ONE, proposing.show, methods=["GET"]),
    Route(proposing.ONE, proposing.decide, methods=["POST"]),
    Route(opening.PACKAGE, opening.fetch, methods=["POST"]),
]
