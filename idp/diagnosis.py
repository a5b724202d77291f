"""What `idp doctor` looks at: each check yields findings, each finding says how to mend it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import ssl
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from consent.policy import PolicyInvalid
from idp.composition import compose, open_stores, root_keys
from idp.protocol import erasure, witnesses
from idp.protocol.erasure_journal import JournalBroken
from idp.setting_sources import SettingsRefused
from idp.settings import load
from keys.errors import KeysError, RootKeyLoose, RootKeyMalformed, RootKeyMissing, RootKeyWrong, StoreUnavailable
from migrations import roles, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consent.access_log import LogStatus
    from idp.protocol.services import Services
    from idp.settings import Settings
    from keys.database import Database, StoreName

Grade = Literal["ok", "warning", "wrong"]
LOG_MEND = "nothing is disclosed; put back the newest consent store and anchor: docs/operate.md, Restoring"
FREE_BYTES = 500 * 1024 * 1024
UNSIGNED = dt.timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` says what to do; None when nothing has to be done."""

    subject: str
    grade: Grade
    what: str
    mend: str | None = None


async def examine() -> Sequence[Finding]:
    """Look at everything, in the order in which things depend on each other; stop where nothing further can be seen."""
    try:
        settings = load()
    except SettingsRefused as error:
        return [Finding("settings", "wrong", problem, "correct it; docs/settings.md lists every setting") for problem in error.problems]
    findings = [Finding("settings", "ok", f"issuer {settings.issuer}, data folder {settings.data_dir}"), *_advice(settings)]
    findings += [*_disk(settings), *_tls(settings), *_authorities(settings), *_key(settings), *_policy(settings)]
    for name, store in open_stores(settings).items():
        findings += await _store(name, store)
    if not any(found.grade == "wrong" for found in findings):
        findings += await _inside(settings)
    return findings


def _advice(settings: Settings) -> Sequence[Finding]:
    """Say what is allowed but unwise."""
    found = []
    if not settings.secure:
        found.append(
            Finding(
                "settings", "warning", "the issuer is not https", "fine on this machine; set IDP_ISSUER to an https address for citizens"
            )
        )
    if settings.certification:
        what = "IDP_CERTIFICATION is on: applications that registered themselves read personal data, loopback is fetched from"
        found.append(Finding("settings", "warning", what, "unset IDP_CERTIFICATION wherever a citizen signs in"))
    if settings.root_key:
        found.append(
            Finding("root key", "warning", "the root key stands in the environment", "put it into a file of mode 0400: IDP_ROOT_KEY_FILE")
        )
    if not settings.mail_url:
        found.append(Finding("courier", "warning", f"mails go to {settings.data_dir / 'outbox'}", "set IDP_MAIL_URL to send them"))
    if settings.log_anchor_file.parent == settings.data_dir and not settings.embedded:
        found.append(Finding("log", "warning", "the log's anchor is in the data folder", "put IDP_LOG_ANCHOR_FILE on another volume"))
    return found


def _disk(settings: Settings) -> Sequence[Finding]:
    folder = settings.data_dir
    if not folder.exists():
        return [Finding("data folder", "wrong", f"{folder} does not exist", "run: idp database upgrade, or set IDP_DATA_DIR")]
    if not os.access(folder, os.W_OK):
        return [
            Finding(
                "data folder", "wrong", f"{folder} cannot be written", f"give it to the user of this program: chown {os.getuid()} {folder}"
            )
        ]
    found = []
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        found.append(Finding("data folder", "warning", f"{folder} has mode {mode:04o}", f"chmod 0700 {folder}"))
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        found.append(Finding("data folder", "wrong", f"only {free // 2**20} MiB are free", "make room: without it no entry can be written"))
    return found


def _tls(settings: Settings) -> Sequence[Finding]:
    if settings.tls_certificate_file is None or settings.tls_key_file is None:
        return []
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate_file, settings.tls_key_file)
    except (OSError, ssl.SSLError) as error:
        return [
            Finding(
                "tls",
                "wrong",
                f"certificate and key cannot be used: {error}",
                "check both PEM files; the key must belong to the certificate",
            )
        ]
    return [Finding("tls", "ok", f"{settings.tls_certificate_file} and its key belong together")]


def _authorities(settings: Settings) -> Sequence[Finding]:
    if settings.ca_file is None:
        return []
    try:
        ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        return [Finding("tls", "wrong", f"IDP_CA_FILE {settings.ca_file}: {error}", "name a PEM file of certificate authorities")]
    return [Finding("tls", "ok", f"certificate authorities of {settings.ca_file}")]


def _policy(settings: Settings) -> Sequence[Finding]:
    path = settings.log_witness_policy_file
    if path is None:
        return []
    try:
        found = witnesses.read(path.read_bytes())
    except (PolicyInvalid, OSError) as error:
        return [Finding("witnesses", "wrong", f"{path}: {error}", "correct the policy: docs/operate.md, witnesses")]
    return [Finding("witnesses", "ok", f"{len(found.witnesses)} in the policy, quorum {found.quorum}")]


def _key(settings: Settings) -> Sequence[Finding]:
    path = settings.root_key_file
    try:
        root = root_keys(settings)
    except RootKeyMissing as error:
        return [Finding("root key", "wrong", str(error), f"put the file back at {path}; for a new installation run: idp database upgrade")]
    except RootKeyLoose as error:
        return [Finding("root key", "wrong", str(error), f"chmod 0400 {path}")]
    except RootKeyMalformed as error:
        return [Finding("root key", "wrong", str(error), f"restore {path} from its offline copy")]
    return [Finding("root key", "ok", f"version {root.newest}")]


async def _store(name: StoreName, store: Database) -> Sequence[Finding]:
    subject = f"{name} store"
    try:
        await standing.require(name, store)
        loose = name == "consent" and await roles.may_change_entries(store)
    except standing.NotMigrated as error:
        return [Finding(subject, "wrong", str(error), f"run: {error.mend}")]
    except StoreUnavailable as error:
        return [Finding(subject, "wrong", f"{error}: cannot be reached", _reach(store))]
    finally:
        await store.close()
    if loose:
        what = "this role may change written entries of the log"
        return [Finding(subject, "warning", what, "give the server a role of its own: idp database upgrade --url OWNER --app-role NAME")]
    return [Finding(subject, "ok", f"at revision {standing.newest(name)}")]


def _reach(store: Database) -> str:
    if store.dialect == "sqlite":
        return f"is {store.url.database} a whole file that this user can write? Else put it back from a backup"
    return "is the database running, and the URL right? idp database status --url …"


async def _inside(settings: Settings) -> Sequence[Finding]:
    """Open everything and look at what only the open program can see."""
    try:
        async with compose(settings, background=False) as services:
            return [
                *await _log(services),
                *await _witnesses(services),
                *await _erasures(services),
                *await _signing(services),
                *await _root(services),
            ]
    except RootKeyWrong as error:
        return [Finding("root key", "wrong", str(error), "put back the root key that this keys store was written with")]
    except JournalBroken as error:
        return [
            Finding(
                "erasures",
                "wrong",
                f"the erasure journal cannot be read at {error}",
                f"put a whole copy back at {settings.erasure_journal_file}",
            )
        ]
    except KeysError as error:
        return [Finding("keys", "wrong", f"{type(error).__name__}: {error}", "see docs/operate.md, keys")]


async def _log(services: Services) -> Sequence[Finding]:
    status = await services.consent.access_log.status()
    if status.in_doubt:
        return [Finding("access log", "wrong", status.in_doubt, LOG_MEND)]
    lost = [Finding("access log", "warning", str(said), None) for said in status.successions if said.kind == "lost"]
    return [Finding("access log", "ok", f"{status.size} entries"), *unsigned(status, services.clock()), *await _log_key(services), *lost]


def unsigned(status: LogStatus, now: dt.datetime) -> Sequence[Finding]:
    """Look whether the signer follows."""
    if status.unsigned_since is None or now - status.unsigned_since < UNSIGNED:
        return []
    what = f"entries since {status.unsigned_since.isoformat(timespec='seconds')} are not signed"
    return [Finding("log signer", "warning", what, "start idp log sign, or idp serve; look for log_signer_failed in its log")]


async def _log_key(services: Services) -> Sequence[Finding]:
    """Look whether the checkpoint key lies where the settings say: one made earlier stays in the keys store."""
    if services.settings.log_key_file is None or not await services.keyring.log_key.in_store():
        return []
    what = "the checkpoint key lies in the keys store, though IDP_LOG_KEY_FILE names a file: it was made before"
    return [Finding("log signer", "warning", what, "idp log rotate-key: the next key is made in a file")]


async def _witnesses(services: Services) -> Sequence[Finding]:
    """Look whether each witness of the policy cosigned not long ago."""
    mend = "reach its operator, and look for log_witness_failed in the signer's log: docs/operate.md, witnesses"
    found = []
    for one in await services.consent.witnesses():
        wrong = one.late or (one.state is not None and one.state.problem is not None)
        found.append(Finding("witness", "warning" if wrong else "ok", str(one), mend if wrong else None))
    return found


async def _erasures(services: Services) -> Sequence[Finding]:
    """Look whether a store, or the journal, was restored from before an erasure."""
    found = []
    for reason in await erasure.unready(services):
        what, _, mend = reason.partition("; ")
        found.append(Finding("erasures", "wrong", what, mend))
    return found or [Finding("erasures", "ok", "every store is at the journal's end")]


async def _signing(services: Services) -> Sequence[Finding]:
    keys = services.keyring.signing.jwks()["keys"]
    return [Finding("signing keys", "ok", f"{len(keys)} published")]


async def _root(services: Services) -> Sequence[Finding]:
    """Look whether a root version wraps longer than erased people were told."""
    newest = (await services.keyring.store.roots.root_versions())[-1]
    if newest.created_at + dt.timedelta(seconds=services.settings.root_key_lifetime) > services.clock():
        return []
    what = (
        f"version {newest.version} wraps since {newest.created_at:%Y-%m-%d}, longer than root_key_lifetime: the erased were told otherwise"
    )
    return [Finding("root key", "warning", what, "idp keys rewrap --new")]
