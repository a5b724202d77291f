"""`idp audit verify-receipt`: check what a citizen or an agency was given, without the provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from idp.cli.audit_policy import read_policy
from idp.cli.audit_verify import held_key
from idp.cli.terminal import Exit, Json, read_text, refuse, show

if TYPE_CHECKING:
    from consent.history_file import HistoryVerdict
    from consent.policy import Policy

TYPES: Final = ("consent-receipt+jwt", "access-report-receipt+jwt")


def verify_receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A history with proofs, or a signed receipt (.jwt).")],
    vkey: Annotated[
        str | None, typer.Option("--vkey", metavar="LINE|FILE", help="For a history: the verifier key that you hold, not the file's.")
    ] = None,
    jwks: Annotated[
        Path | None, typer.Option("--jwks", metavar="FILE", help="For a signed receipt: the city's public keys, as kept from /jwks.json.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="For a history: whose cosignatures you demand (C2SP tlog-policy).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a citizen's entries without the provider: each is what was recorded, in the signed log, and none is missing between them.

    A signed receipt, of a permission or of a reported read, is checked with the city's public keys instead.
    Exit code 0 only when all holds; 1 when something does not; 2 when the file is not such a file.
    """
    if (vkey is None) == (jwks is None):
        refuse("a history needs --vkey, a signed receipt --jwks", Exit.USAGE)
    if policy is not None and vkey is None:
        refuse("--policy is for a history: a signed receipt is no checkpoint", Exit.USAGE)
    found = _history(file, vkey, policy) if vkey is not None else _receipt(file, jwks or Path())
    show(found, as_json=as_json, text=lambda: _text(found))
    if not found["holds"]:
        raise typer.Exit(Exit.REFUSED)


def _history(file: Path, vkey: str, policy: Path | None) -> dict[str, Any]:
    import dataclasses

    from consent import history_file

    demanded = None if policy is None else read_policy(policy)
    try:
        data = file.read_bytes()
        verdict = history_file.verify(data, held_key(vkey))
        lacking = _lacking(demanded, data) if demanded and verdict.holds else None
        return _value(dataclasses.replace(verdict, index=lacking[0], problem=lacking[1]) if lacking else verdict)
    except OSError as error:
        refuse(f"cannot read {file}: {error.strerror or error}", Exit.USAGE)
    except history_file.HistoryBroken as error:
        refuse(f"{file}: {error}", Exit.USAGE)


def _lacking(policy: Policy, data: bytes) -> tuple[int | None, str] | None:
    """Say what the policy has against a history that verified: its checkpoint, or its newest entry, later than what was cosigned."""
    from consent import history_file, verify_policy

    note, entries = history_file.read(data)
    for problem in verify_policy.head_problems(policy, note):
        return None, problem
    last = entries[-1] if entries else None
    late = verify_policy.too_late(policy, note, last.index, str(last.record.get("time"))) if last else None
    return (late.index, late.what) if late else None


def _value(verdict: HistoryVerdict) -> dict[str, Any]:
    return {
        "holds": verdict.holds,
        "entries": verdict.entries,
        "first": verdict.first,
        "log": verdict.origin,
        "size": verdict.size,
        "root": verdict.root.hex(),
        "bad_index": verdict.index,
        "problem": verdict.problem,
    }


def _receipt(file: Path, jwks: Path) -> dict[str, Any]:
    import json

    from keys.errors import TokenInvalid
    from keys.verification import verify_with_jwks

    token = read_text(file).strip()
    try:
        keys = json.loads(read_text(jwks))
    except ValueError:
        refuse(f"{jwks}: not a set of keys (JSON)", Exit.USAGE)
    try:
        verified = verify_with_jwks(token, keys if isinstance(keys, dict) else {}, algorithms=["ES256"], type=TYPES)
    except TokenInvalid as error:
        return {"holds": False, "problem": str(error)}
    return {"holds": True, "key": verified.header.get("kid"), "problem": None, "says": dict(verified.claims)}


def _text(found: dict[str, Any]) -> str:
    lines = []
    if "entries" in found:
        since = "from the person's first on" if found["first"] == 0 else f"from the person's number {found['first']} on"
        lines = [f"{found['entries']} entries, {since}", f"in the log {found['log']} of {found['size']} entries, root {found['root']}"]
    if "says" in found:
        lines = [f"signed by the key {found['key']}", *(f"{name}: {value}" for name, value in found["says"].items())]
    if found["problem"]:
        lines.append(found["problem"] if found.get("bad_index") is None else f"entry {found['bad_index']}: {found['problem']}")
    return "\n".join([*lines, "ALL HOLDS" if found["holds"] else "DOES NOT HOLD"])
