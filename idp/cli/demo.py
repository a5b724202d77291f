"""`idp demo`: the provider with three applications and sample people, to try it."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.terminal import Exit, Json, refuse, run
from idp.cli.terminal import settings as read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(add_completion=False)

STEP = 30


@app.command()
def demo(
    as_json: Json = False,
    folder: Annotated[Path, typer.Option("--dir", help="The data folder of the demonstration.")] = Path("data/demo"),
    port: Annotated[int, typer.Option(min=1, max=65532, help="The provider's port; the applications take the next three.")] = 8000,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over: forget the folder's accounts, permissions and records.")] = False,
) -> None:
    """Run the provider on localhost with three applications of made-up agencies. Ctrl-C stops all.

    Secrets derive from demo.key in the data folder, so that starting again prints the same.
    """
    from idp.demo import run as demonstration
    from idp.demo.derived import DemoKey

    issuer = f"http://localhost:{port}"
    folder = folder.absolute()
    try:
        demonstration.prepare_folder(folder, issuer, port, fresh=fresh)
        key = DemoKey.of_folder(folder)
        settings = read_settings(data_dir=folder, issuer=issuer, port=port)
        run(_provide_and_run(settings, key, port, _announcer(as_json)), log_level="warning")
    except demonstration.PortTaken as error:
        refuse(f"{error}; stop what listens there, or run: idp demo --port {port + 1000} --dir {folder}-{port + 1000}")
    except demonstration.FolderNotOurs as error:
        refuse(str(error), Exit.USAGE)


async def _provide_and_run(settings: Any, key: Any, port: int, announce: Callable[[dict[str, Any]], None]) -> None:  # noqa: ANN401 - types that only `demo` imports
    from idp.cli.serve import prepare
    from idp.demo import run as demonstration

    await prepare(settings)
    await demonstration.run(settings, key, port, announce)


def _announcer(as_json: bool) -> Callable[[dict[str, Any]], None]:
    def announce(found: dict[str, Any]) -> None:
        if as_json:
            sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
            sys.stdout.flush()
            return
        sys.stdout.write(_told(found))
        sys.stdout.flush()
        if sys.stdout.isatty():
            threading.Thread(target=_show_codes, args=(_with_codes(found),), daemon=True).start()

    return announce


def _with_codes(found: dict[str, Any]) -> list[tuple[str, str]]:
    people = [*found["citizens"], found["auditor"], found["administrator"], found["dpo"]]
    return [(person["name"], person["totp_secret"]) for person in people if person["totp_secret"]]


def _told(found: dict[str, Any]) -> str:
    import pyotp

    lines = ["", "Gerbang is ready. Click one of these:", ""]
    lines += [f"  {one['base_url']:<24} {one['name']}" for one in found["applications"]]
    lines += [f"  {found['issuer']:<24} a citizen's own pages: who read my data, my permissions", ""]
    lines += ["Sign in as (by e-mail, phone, or NIK once verified):", ""]
    for role, person in [
        *(("citizen", one) for one in found["citizens"]),
        ("auditor", found["auditor"]),
        ("administrator", found["administrator"]),
        ("data protection officer", found["dpo"]),
    ]:
        code = f"  code {pyotp.TOTP(person['totp_secret']).now()}" if person["totp_secret"] else ""
        lines.append(f"  {person['email']:<26} {person['password']:<24} {person['name']} ({role}){code}")
    lines += ["", f"Log key for `idp audit verify --vkey`: {found['log_vkey']}"]
    lines += [f"Data folder: {found['data_dir']} (other commands: IDP_DATA_DIR={found['data_dir']} idp …)", "Ctrl-C stops all.", "", ""]
    return "\n".join(lines)


def _show_codes(people: list[tuple[str, str]]) -> None:
    """Keep one line with the current codes up to date."""
    import pyotp

    while True:
        left = STEP - int(time.time()) % STEP
        codes = "   ".join(f"{name} {pyotp.TOTP(secret).now()}" for name, secret in people)
        sys.stdout.write(f"\r\x1b[KCodes now:  {codes}   ({left} s)")
        sys.stdout.flush()
        time.sleep(1)
