"""What the description of every endpoint is put together from: bodies, answers, schemas."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer"}
CALLER: Final[list[Schema]] = [{"client_secret_basic": []}, {"access_token": []}]
ASSERTION: Final = ("client_id", "client_secret", "client_assertion_type", "client_assertion")
CLIENT: Final[list[Schema]] = [{"client_secret_basic": []}, {"client_in_form": []}]

CLIENT_REFUSALS: Final = (
    (400, "The request is refused; `error_description` says what to mend."),
    (401, "The application did not authenticate as it is registered."),
    (415, "The body is of another content type."),
    (503, "Not now: `retry-after` says when."),
)

TOO_OFTEN: Final = (429, "Too many from this network, or this application: `retry-after` says when.")


def form(required: tuple[str, ...], *optional: str) -> Schema:
    """Describe a form that is posted, its members all text."""
    schema = {"type": "object", "properties": dict.fromkeys((*required, *optional), TEXT), "required": list(required)}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def answers(description: str, schema: str) -> Schema:
    """Describe an answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def gives(description: str, media_type: str) -> Schema:
    """Describe an answer that is no JSON."""
    return {"description": description, "content": {media_type: {"schema": TEXT}}}


def in_path(*names: str) -> list[Schema]:
    """Describe the parts of a path."""
    return [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]


def takes(schema: str) -> Schema:
    """Describe a body in JSON."""
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def object_of(required: dict[str, Schema], **optional: Schema) -> Schema:
    """Describe a JSON object by its members."""
    return {"type": "object", "properties": required | optional, "required": list(required)}


def operation(summary: str, source: str, good: Schema, **more: Any) -> Schema:  # noqa: ANN401 - members of an OpenAPI operation
    """Describe one method of a path. `status`: of the good answer; `refusals`: status codes that carry an error object."""
    refusals, status = more.pop("refusals", ()), more.pop("status", 200)
    responses = {str(status): good} | {str(status): answers(text, "Error") for status, text in refusals}
    return {"summary": summary, "externalDocs": {"description": source, "url": SOURCES[source]}, "responses": responses, **more}


SOURCES: Final = {
    "RFC 6749": "https://www.rfc-editor.org/rfc/rfc6749",
    "RFC 7009": "https://www.rfc-editor.org/rfc/rfc7009",
    "RFC 7523": "https://www.rfc-editor.org/rfc/rfc7523",
    "RFC 7517": "https://www.rfc-editor.org/rfc/rfc7517",
    "RFC 7591": "https://www.rfc-editor.org/rfc/rfc7591",
    "RFC 7592": "https://www.rfc-editor.org/rfc/rfc7592",
    "RFC 7662": "https://www.rfc-editor.org/rfc/rfc7662",
    "RFC 8628": "https://www.rfc-editor.org/rfc/rfc8628",
    "CIBA": "https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html",
    "RFC 9126": "https://www.rfc-editor.org/rfc/rfc9126",
    "RFC 8936": "https://www.rfc-editor.org/rfc/rfc8936",
    "Shared Signals": "https://openid.net/specs/openid-sharedsignals-framework-1_0.html",
    "Andmejälgija": "https://github.com/e-gov/AJ",
    "tlog-tiles": "https://c2sp.org/tlog-tiles",
    "tlog-proof": "https://c2sp.org/tlog-proof",
    "signed-note": "https://c2sp.org/signed-note",
    "RFC 8414": "https://www.rfc-editor.org/rfc/rfc8414",
    "OpenID Connect Core": "https://openid.net/specs/openid-connect-core-1_0.html",
    "OpenID Connect Discovery": "https://openid.net/specs/openid-connect-discovery-1_0.html",
}
SECURITY: Final[Schema] = {
    "client_secret_basic": {"type": "http", "scheme": "basic", "description": "client_id and client_secret, each form-encoded."},
    "client_in_form": {
        "type": "apiKey",
        "in": "query",
        "name": "client_id",
        "description": "client_secret_post, private_key_jwt or a public client: as members of the form, never of the query.",
    },
    "access_token": {"type": "http", "scheme": "bearer"},
}

SCHEMAS: Final[Schema] = {
    "Error": object_of({"error": TEXT}, error_description=TEXT),
    "Tokens": object_of(
        {"access_token": TEXT, "token_type": {"enum": ["Bearer", "DPoP"]}, "expires_in": NUMBER},
        scope=TEXT,
        id_token=TEXT,
        refresh_token=TEXT,
        issued_token_type=TEXT,
        authorization_details={"type": "array", "items": {"type": "object"}},
    ),
    "Claims": {**object_of({"sub": TEXT}), "additionalProperties": True},
    "Introspection": object_of(
        {"active": {"type": "boolean"}},
        sub=TEXT,
        scope=TEXT,
        client_id=TEXT,
        exp=NUMBER,
        iat=NUMBER,
        iss=TEXT,
        token_type=TEXT,
        aud={"type": ["string", "array"]},
        purpose=TEXT,
        cnf={"type": "object"},
        act={"type": "object"},
    ),
    "Poll": object_of(
        {},
        maxEvents={"type": "integer", "minimum": 0},
        returnImmediately={"type": "boolean"},
        ack={"type": "array", "items": TEXT},
        setErrs={"type": "object", "additionalProperties": {"type": "object"}},
    ),
    "Events": object_of({"sets": {"type": "object", "additionalProperties": TEXT}, "moreAvailable": {"type": "boolean"}}),
    "Verification": object_of({"stream_id": TEXT}, state=TEXT),
    "Transmitter": {**object_of({"issuer": TEXT, "jwks_uri": TEXT, "spec_version": TEXT}), "additionalProperties": True},
    "Device": object_of(
        {"device_code": TEXT, "user_code": TEXT, "verification_uri": TEXT, "expires_in": NUMBER},
        verification_uri_complete=TEXT,
        interval=NUMBER,
    ),
    "Backchannel": object_of({"auth_req_id": TEXT, "expires_in": NUMBER}, interval=NUMBER),
    "Reported": object_of({"access_log_id": TEXT, "time": TEXT, "report_id": TEXT, "index": NUMBER, "receipt": TEXT}),
    "Usages": object_of(
        {
            "totalUsages": NUMBER,
            "usages": {
                "type": "array",
                "items": object_of({"logtime": TEXT, "action": TEXT, "receiverCode": TEXT, "receiverSystem": TEXT}, receiverName=TEXT),
            },
        }
    ),
    "UsagePeriod": object_of({"periodStart": TEXT}),
    "Heartbeat": object_of({"status": TEXT}, message=TEXT),
    "Pushed": object_of({"request_uri": TEXT, "expires_in": NUMBER}),
    "Registration": {**object_of({"redirect_uris": {"type": "array", "items": TEXT}}, client_name=TEXT), "additionalProperties": True},
    "Registered": {
        **object_of({"client_id": TEXT, "registration_access_token": TEXT, "registration_client_uri": TEXT}, client_secret=TEXT),
        "additionalProperties": True,
    },
    "Keys": object_of({"keys": {"type": "array", "items": {"type": "object"}}}),
    "Metadata": {**object_of({"issuer": TEXT, "token_endpoint": TEXT, "jwks_uri": TEXT}), "additionalProperties": True},
}
