"""The description of what is told about reads: reports of agencies, and the history for portals."""

from __future__ import annotations

from typing import Final

from idp.openapi.parts import ASSERTION, CLIENT, CLIENT_REFUSALS, NUMBER, TEXT, TOO_OFTEN, Schema, answers, form, operation

_TOKEN: Final[list[Schema]] = [{"access_token": []}]
_REPORT_REFUSALS: Final = (
    *CLIENT_REFUSALS,
    (403, "Reports are signed for: private_key_jwt."),
    (404, "The agency knows nobody under this `sub`."),
    (409, "A report of this `report_id` said something else."),
    TOO_OFTEN,
)
_USAGE_REFUSALS: Final = (
    (400, "A parameter is not as it is described."),
    (401, "No living token, or the permission was withdrawn."),
    (403, "The token has not the scope access_history, or is not about this person."),
    (503, "The read could not be recorded, so nothing was told: `retry-after` says when."),
)
_USAGE_PARAMETERS: Final = [
    {"name": "X-Road-UserId", "in": "header", "schema": TEXT},
    *({"name": name, "in": "query", "schema": TEXT} for name in ("userCode", "periodStart", "periodEnd")),
    *({"name": name, "in": "query", "schema": NUMBER} for name in ("offset", "limit")),
]

PATHS: Final[Schema] = {
    "/report-access": {
        "post": operation(
            "Report a read of a copy that your own system holds",
            "RFC 7523",
            answers("It was taken before, with the same content: the same entry.", "Reported"),
            refusals=_REPORT_REFUSALS,
            security=CLIENT,
            requestBody=form(("report_id", "sub", "claims", "occurred"), "purpose", "actor", "role", "unit", "reason", *ASSERTION),
        )
    },
    "/v2/findUsage": {
        "get": operation(
            "Who did what with the citizen's data; the asking is recorded first",
            "Andmejälgija",
            answers("Newest first; `x-access-log-id` names the entry that records the asking.", "Usages"),
            refusals=_USAGE_REFUSALS,
            security=_TOKEN,
            parameters=_USAGE_PARAMETERS,
        )
    },
    "/v2/usagePeriod": {
        "get": operation(
            "Since when reads are recorded",
            "Andmejälgija",
            answers("There is no end.", "UsagePeriod"),
            refusals=_USAGE_REFUSALS[1:3],
            security=_TOKEN,
        )
    },
    "/v2/heartbeat": {"get": operation("Whether findUsage would answer", "Andmejälgija", answers("OK or FAIL.", "Heartbeat"))},
}
PATHS["/report-access"]["post"]["responses"]["201"] = answers("It is an entry of the access log now; keep the receipt.", "Reported")
