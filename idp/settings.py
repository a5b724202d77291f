"""Every setting of the program: one frozen model, read from `IDP_…` variables and `idp.toml`, checked whole before anything starts.

The file is `IDP_CONFIG`, else `idp.toml` in the data folder; a variable wins over the file. Relative paths in it count from its folder.
Secrets (URLs with passwords) may stand in a file of their own: `IDP_MAIL_URL_FILE` names a file that holds `IDP_MAIL_URL`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from idp.setting_sources import PREFIX, EnvironmentSource, SettingsRefused, TomlSource, unknown_variables
from idp.setting_types import Count, DatabaseUrl, HeaderName, Issuer, Networks, Place, Rates, Seconds, for_trials, scheme

if TYPE_CHECKING:
    from pydantic_settings import PydanticBaseSettingsSource

MINUTE, HOUR, DAY = 60, 3600, 86400


def _in_data_dir(name: str) -> Any:  # noqa: ANN401 - pydantic's Field is typed so
    return Field(default_factory=lambda values: values["data_dir"] / name, description=_PLACES[name])


_PLACES = {
    "root.key": "The root key that wraps all other keys. A file of mode 0400, kept apart from backups of the stores.",
    "log.anchor": "Where the newest signed checkpoint of the access log is anchored. Best on another volume than the stores.",
    "erasure.journal": "The journal of erased people, replayed after a restore. Best on another volume than the stores.",
}


def _rate(default: str, what: str) -> Any:  # noqa: ANN401 - as above
    return Field(default, description=f"{what} Attempts/seconds.")


class Settings(BaseSettings):
    """All settings. Lifetimes are whole seconds. Built by `load`; tests build it directly."""

    model_config = SettingsConfigDict(env_prefix="IDP_", frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    issuer: Issuer = Field("http://localhost:8000", description="The address of this provider, as applications know it.")
    data_dir: Place = Field(
        Path("data"), description="The folder of everything that is not placed elsewhere: stores, keys, outbox, idp.toml."
    )
    operator_name: str = Field("Pemerintah Kota", description="Who runs this provider, as citizens read it.")
    dpo_contact: str = Field("dpo@localhost", description="How to reach the data protection officer (UU PDP Art. 53).")

    database_url: DatabaseUrl = Field(
        default_factory=lambda values: f"sqlite:///{values['data_dir']}/idp.sqlite3",
        repr=False,
        description="The idp store. Default: a file in the data folder.",
    )
    consent_database_url: DatabaseUrl | None = Field(
        None, repr=False, description="The consent store (ledger and log). Default: beside the idp store."
    )
    keys_database_url: DatabaseUrl | None = Field(None, repr=False, description="The keys store. Default: beside the idp store.")
    pool_size: Count = Field(10, description="Database connections per store and process: opened when first needed, then kept.")
    consent_pool_size: Count | None = Field(None, description="The same for the consent store alone; default: as `IDP_POOL_SIZE`.")
    keys_pool_size: Count | None = Field(None, description="The same for the keys store alone; default: as `IDP_POOL_SIZE`.")
    pool_overflow: Annotated[int, Field(ge=0)] = Field(
        0, description="Further connections under load; each is closed after its use, and opening one costs more than most queries."
    )
    pool_timeout: Seconds = Field(5, description="Seconds to wait for a connection before answering 503.")

    root_key: str | None = Field(None, repr=False, description="The root key itself, for development only: processes' environments leak.")
    root_key_file: Place = _in_data_dir("root.key")
    log_anchor_file: Place = _in_data_dir("log.anchor")
    erasure_journal_file: Place = _in_data_dir("erasure.journal")
    log_signer: Literal["embedded", "separate"] = Field(
        "embedded",
        description="`embedded`: the server signs checkpoints itself; `separate`: `idp log sign` runs elsewhere and alone holds the key.",
    )
    log_key_file: Place | None = Field(
        None, description="The checkpoint key in a file of its own (mode 0400), for a separate signer; default: wrapped in the keys store."
    )
    log_witness_policy_file: Place | None = Field(
        None,
        description="Who watches the log: a C2SP tlog-policy file. What becomes public was cosigned by its quorum (docs/operate.md).",
    )
    log_witness_alarm: Seconds = Field(15 * MINUTE, description="After this time without a cosignature of a witness there is an alarm.")
    delay_days: Count = Field(
        365, description="For how many days at most two people may order that reads are shown to their citizen later (UU 27/2022 Art. 15)."
    )
    log_tolerance: Seconds = Field(5, description="How many seconds the database clock may be behind the log before reads are refused.")

    mail_url: Annotated[str, scheme("smtp", "smtps")] | None = Field(
        None, repr=False, description="smtp://user:password@host:port (STARTTLS) or smtps://…; default: the outbox folder."
    )
    mail_from: str = Field("Gerbang <gerbang@localhost>", description="The sender of mails.")
    sms_url: Annotated[str, scheme("http", "https")] | None = Field(
        None, repr=False, description="Gateway for SMS (JSON POST); default: the outbox folder."
    )
    whatsapp_url: Annotated[str, scheme("http", "https")] | None = Field(
        None, repr=False, description="Gateway for WhatsApp (JSON POST); default: the outbox folder."
    )

    upstream_file: Place | None = Field(
        None, description="OpenID providers before this one, as ways to sign in: a TOML file (docs/operate.md)."
    )

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="The port to listen on; 0 lets the system choose.")
    workers: Count = Field(1, description="Server processes. More than one needs PostgreSQL.")
    tls_certificate_file: Place | None = Field(None, description="Serve https with this certificate chain (PEM).")
    tls_key_file: Place | None = Field(None, description="The private key of that certificate (PEM).")
    trusted_proxies: Networks = Field(
        (), description="Networks of proxies that may state the client's address and scheme, separated by commas, like 10.0.0.0/8."
    )
    client_certificate_header: HeaderName | None = Field(
        None,
        description="The header in which trusted proxies put the certificate of a client (mutual TLS): as RFC 9440 writes it, or PEM,"
        " percent-encoded. They must set or remove it on every request. Default: none is believed.",
    )
    client_authorities_file: Place | None = Field(
        None,
        description="Authorities whose certificates prove applications registered for tls_client_auth (PEM); each issues directly."
        " With `IDP_TLS_CERTIFICATE_FILE`, clients may show one of theirs to this server itself.",
    )
    mtls_url: Issuer | None = Field(
        None, description="The address under which a proxy asks clients for certificates, if it is another one (RFC 8705 §5)."
    )
    dpop_nonce_required: bool = Field(
        False, description="Whether a DPoP proof must repeat a nonce of ours; otherwise a proof of the last minute will do (RFC 9449 §8)."
    )
    ca_file: Place | None = Field(None, description="Certificate authorities for our own outgoing requests (PEM); default: the system's.")
    body_limit: Count = Field(65536, description="The largest request body, in bytes.")
    metrics_token: str | None = Field(
        None, repr=False, min_length=16, description="Bearer token for /metrics from elsewhere; loopback needs none."
    )
    registration: Literal["off", "token", "open"] = Field(
        "off",
        description="Whether applications may register themselves (RFC 7591): `off`; `token`: with an initial access token of"
        " `idp clients token add`; `open`: anybody. They sign people in, and read nothing before `idp clients approve`.",
    )
    software_statement_issuers_file: Place | None = Field(
        None, description="Whose software statements (RFC 7591 §2.3) are believed: a JSON file with a JWK Set for each issuer."
    )
    certification: bool = Field(
        False,
        description="For conformance suites only: implicit response types, loopback fetches, self-registered applications that read."
        " Refused in production: unless the issuer's host is loopback, `localhost`, or ends in `.localhost`, `.test` or `.internal`.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much the program writes to its own log (standard error)."
    )

    code_lifetime: Seconds = Field(60, le=10 * MINUTE, description="Authorization codes (RFC 6749 §4.1.2: 10 minutes at most).")
    request_uri_lifetime: Seconds = Field(60, le=90, description="Pushed authorization requests (RFC 9126), until somebody opens them.")
    access_token_lifetime: Seconds = Field(5 * MINUTE, le=HOUR, description="Access tokens.")
    id_token_lifetime: Seconds = Field(5 * MINUTE, le=HOUR, description="ID tokens.")
    refresh_token_lifetime: Seconds = Field(
        30 * DAY, description="Refresh tokens, counted from the citizen's approval: each rotation gives a new token with the same end."
    )
    refresh_grace: Annotated[int, Field(ge=0)] = Field(
        MINUTE, le=5 * MINUTE, description="How long a lost answer to a refresh can be asked for again."
    )
    session_idle: Seconds = Field(15 * MINUTE, description="A session on a shared device ends after this time unused.")
    session_remembered_idle: Seconds = Field(30 * DAY, description="A session on the citizen's own device ends after this time unused.")
    session_absolute: Seconds = Field(12 * HOUR, description="A session on a shared device ends after this time in any case.")
    session_remembered_absolute: Seconds = Field(
        90 * DAY, description="A session on the citizen's own device ends after this time in any case."
    )
    session_confirm: Seconds = Field(
        5 * MINUTE, description="After this time unused on a shared device, a service first asks who is there."
    )
    interaction_lifetime: Seconds = Field(30 * MINUTE, description="How long a sign-in may take from the service's request to the answer.")
    enrolment_lifetime: Seconds = Field(HOUR, description="How long an unfinished enrolment is kept, sealed.")
    mailed_code_lifetime: Seconds = Field(10 * MINUTE, description="Codes sent by mail, SMS or WhatsApp.")
    recovery_slip_lifetime: Seconds = Field(15 * MINUTE, description="Slips printed at the counter.")
    device_code_lifetime: Seconds = Field(10 * MINUTE, le=HOUR, description="How long a device waits until its code is entered.")
    backchannel_lifetime: Seconds = Field(5 * MINUTE, le=HOUR, description="How long a counter's request waits for its citizen (CIBA).")
    openings_lifetime: Seconds = Field(
        7 * DAY, le=30 * DAY, description="How long an auditor may fetch and open a package of subject openings."
    )
    poll_interval: Seconds = Field(5, le=MINUTE, description="How often a waiting device or counter may ask for the answer.")
    root_key_lifetime: Seconds = Field(
        30 * DAY, description="How long a root version wraps until `idp keys rewrap --new` destroys it; erased people are told that date."
    )
    signing_key_lifetime: Seconds = Field(90 * DAY, description="How long a token signing key signs before the next one takes over.")

    limit_device: Rates = _rate("10/900, 50/86400", "Wrong passwords of a device that signed in to the account before.")
    limit_strangers: Rates = _rate("10/900, 100/86400", "Wrong passwords of all other devices together, per account.")
    limit_network: Rates = _rate("300/900", "Wrong passwords from one network address, whatever the account; carriers share addresses.")
    limit_everyone: Rates = _rate("3000/60", "Wrong passwords of all strangers together.")
    limit_factor: Rates = _rate("10/900", "Wrong second factors, and wrong passwords on one's own pages, per account.")
    limit_enrolment: Rates = _rate("200/3600", "Enrolments begun from one network address.")
    limit_message: Rates = _rate("5/3600, 10/86400", "Codes sent to one address or telephone; a known device is counted by itself.")
    limit_message_network: Rates = _rate("200/3600", "Codes asked for from one network address.")
    limit_registration: Rates = _rate("60/3600", "Applications that register themselves from one network address.")
    limit_slip: Rates = _rate("10/3600", "Wrong slips of the counter, per account and network address.")
    limit_user_code: Rates = _rate("60/900", "Wrong codes of other devices from one network address.")
    limit_asked_elsewhere: Rates = _rate("5/600, 20/86400", "Requests by counters and services that name one citizen.")
    limit_authorize: Rates = _rate("1200/60", "Requests to sign in from one network address, in each process.")
    limit_pushed: Rates = _rate("6000/60", "Pushed and backchannel requests from one network address, in each process.")
    limit_device_authorization: Rates = _rate("600/60", "Devices' requests from one network address, in each process.")
    limit_reports: Rates = _rate("6000/60", "Reports of reads by one application, in each process.")
    factor_failures: Count = Field(100, description="Wrong codes in a row that disable a second factor: its owner must recover.")

    password_min_length: Annotated[int, Field(ge=8, le=64)] = Field(10, description="The shortest password accepted.")
    argon2_memory: Annotated[int, Field(ge=8)] = Field(19456, description="Argon2id memory in KiB (OWASP: at least 19456).")
    argon2_time: Count = Field(2, description="Argon2id passes.")
    argon2_parallelism: Count = Field(1, description="Argon2id lanes.")
    password_threads: Count = Field(2, description="Password hashes computed at once per process.")
    password_queue: Count = Field(32, description="Password checks that may wait per process; more are answered 503.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of authority: arguments, environment (and the files it names), idp.toml."""
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, EnvironmentSource(settings_cls), TomlSource(settings_cls)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("IDP_TLS_CERTIFICATE_FILE and IDP_TLS_KEY_FILE go together: set both or neither")
        if self.client_certificate_header and not self.trusted_proxies:
            raise ValueError("IDP_CLIENT_CERTIFICATE_HEADER needs IDP_TRUSTED_PROXIES: from anybody else that header proves nothing")
        if self.embedded and self.workers > 1:
            raise ValueError("IDP_WORKERS above 1 needs PostgreSQL: set IDP_DATABASE_URL, or leave one worker")
        if self.certification and not for_trials(urlsplit(self.issuer).hostname or ""):
            raise ValueError("IDP_CERTIFICATION is for trials: it needs an issuer on localhost, or under .test or .internal")
        return self

    @property
    def secure(self) -> bool:
        """Whether citizens reach this provider over https: cookies are bound to it and HSTS is sent."""
        return self.issuer.startswith("https://")

    @property
    def mutual_tls(self) -> bool:
        """Whether clients can show certificates at all: to a proxy of ours, or to this server (RFC 8705)."""
        return bool(self.client_certificate_header or (self.tls_certificate_file and self.client_authorities_file))

    @property
    def registration_mode(self) -> Literal["off", "token", "open"]:
        """Who may register an application; conformance suites register one for each of their tests."""
        return "open" if self.certification else self.registration

    @property
    def embedded(self) -> bool:
        """Whether the idp store is a file in the data folder (one process writes it)."""
        return self.database_url.startswith("sqlite:")

    @property
    def origin(self) -> str:
        """The scheme and host of the issuer, as browsers send it in `Origin`."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


def load(**overrides: object) -> Settings:
    """Read and check all settings at once; `overrides` (command-line options) win over everything.

    Raises: SettingsRefused, which names every problem, not only the first.
    """
    problems = unknown_variables(os.environ, Settings.model_fields)
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsRefused(*problems, *_problems(error)) from error
    if problems:
        raise SettingsRefused(*problems)
    return settings


def _problems(error: ValidationError) -> list[str]:
    """Say each problem by the setting's name; values stay out, for they may be secrets."""
    found = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        if problem["type"] == "default_factory_not_called":  # a consequence of another problem in this list
            continue
        name = PREFIX + str(problem["loc"][0]).upper() + ": " if problem["loc"] else ""
        found.append(name + problem["msg"].removeprefix("Value error, "))
    return found
