"""Each import contract of pyproject.toml holds, and breaks when somebody adds the import that it forbids."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("keys", "consent", "idp", "migrations")

# The contract, the module that gets the import, and the import that the contract forbids.
FORBIDDEN = (
    ("keys <- consent <- idp", "keys/digests.py", "consent.errors"),
    ("keys <- consent <- idp", "consent/records.py", "idp.settings"),
    ("inside idp", "idp/sessions/store.py", "idp.protocol.services"),
    ("inside idp", "idp/login/endpoint.py", "idp.userinfo.endpoint"),
    ("inside idp", "idp/accounts/store.py", "idp.sessions.records"),
    ("inside idp", "idp/web/cookies.py", "idp.clients.store"),
    ("inside idp", "idp/settings.py", "idp.web.cookies"),
    ("inside idp", "idp/spec/prompt.py", "idp.settings"),
    ("inside idp", "idp/protocol/services.py", "idp.app"),
    ("pure modules", "idp/spec/scopes.py", "starlette.requests"),
    ("pure modules", "consent/decision.py", "sqlalchemy"),
    ("pure modules", "keys/rotation.py", "httpx2"),
    ("pure modules", "consent/verify.py", "jinja2"),
    ("speak SQL", "idp/protocol/courier.py", "sqlalchemy"),
    ("speak SQL", "consent/disclosure.py", "sqlalchemy"),
    ("tables of the keys store", "keys/signing.py", "keys.store.tables"),
    ("tables of the access log", "consent/disclosure.py", "consent.access_log.tables"),
    ("tables of the ledger", "consent/service.py", "consent.ledger.tables"),
    ("tables of key uses", "consent/service.py", "consent.key_uses.tables"),
    ("tables of orders of delay", "consent/service.py", "consent.delays.tables"),
    ("tables of reports", "consent/service.py", "consent.reports.tables"),
    ("tables of freezes", "consent/service.py", "consent.freezes.tables"),
    ("tables of purposes", "consent/service.py", "consent.purposes.tables"),
    ("tables of a record package", "idp/protocol/courier.py", "idp.accounts.tables"),
    ("only the door of disclosure", "idp/protocol/courier.py", "keys.sealing.open"),
    ("a witness knows nothing of the provider", "consent/witness/memory.py", "keys.database"),
    ("a witness knows nothing of the provider", "consent/witness/endpoint.py", "sqlalchemy"),
    ("only keys/ does cryptography", "consent/receipts.py", "joserfc.jwt"),
    ("only keys/ does cryptography", "idp/web/forms.py", "cryptography.fernet"),
    ("only keys/ does cryptography", "idp/accounts/store.py", "argon2"),
)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree: nothing here touches the real one."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "*.html", "*.css", "*.svg"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--config", "pyproject.toml", "--no-cache", "--verbose"]
    environment = {"PYTHONPATH": str(tree), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, env=environment)


@functools.cache
def broken_output(tree: Path) -> str:
    """What import-linter says of the tree with every forbidden import added."""
    for _, module, forbidden in FORBIDDEN:
        with (tree / module).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {forbidden}  # noqa\n")
    return re.sub(r"\s+", " ", lint(tree).stdout)


def test_the_tree_keeps_every_contract(copied: Path) -> None:
    result = lint(copied)
    assert result.returncode == 0, result.stdout[-4000:]


@pytest.mark.parametrize(("contract", "module", "forbidden"), FORBIDDEN, ids=str)
def test_a_forbidden_import_breaks_its_contract(copied: Path, contract: str, module: str, forbidden: str) -> None:
    output = broken_output(copied)
    importer = module.removesuffix(".py").replace("/", ".")
    target = forbidden if forbidden.startswith(PACKAGES) else forbidden.partition(".")[0]
    assert re.search(rf"{re.escape(contract)}[^.]*? BROKEN", output)
    assert re.search(rf"{re.escape(importer)} -> {re.escape(target)}\b", output), f"{importer} -> {target} was not reported"


def test_every_contract_has_a_forbidden_import_that_proves_it() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        names = [contract["name"] for contract in tomllib.load(file)["tool"]["importlinter"]["contracts"]]
    unproven = [name for name in names if not any(contract in name for contract, _, _ in FORBIDDEN)]
    assert not unproven
