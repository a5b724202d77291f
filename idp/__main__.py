"""`idp`, and `python -m idp`: run a command; turn what goes wrong into one sentence and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback

from idp.cli.terminal import CommandRefused, Exit
from idp.setting_sources import SettingsRefused


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code."""
    from idp.cli.main import app  # noqa: PLC0415 - typer is imported with it

    try:
        app(arguments, prog_name="idp")  # typer itself explains wrong options, and leaves by SystemExit
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else Exit.OK
    except BrokenPipeError:
        return Exit.OK
    except BaseException as error:  # noqa: BLE001 - the last place that can turn an accident into a sentence
        return _say(error)
    return Exit.OK


def _say(error: BaseException) -> int:
    """Print what happened to standard error; give the exit code."""
    code, message = _meaning(error)
    sys.stderr.write(f"idp: {message}\n")
    return code


def _meaning(error: BaseException) -> tuple[Exit, str]:
    if isinstance(error, CommandRefused):
        return error.code, error.message
    if isinstance(error, SettingsRefused):
        return Exit.USAGE, "the settings cannot be used:\n" + "\n".join(f"  {problem}" for problem in error.problems)
    if isinstance(error, OSError) and error.filename:
        return Exit.USAGE, f"cannot use {error.filename}: {error.strerror}"
    from consent.policy import PolicyInvalid  # noqa: PLC0415 - needed only when something went wrong
    from idp.protocol.erasure_journal import JournalBroken  # noqa: PLC0415 - needed only when something went wrong
    from idp.spec.upstream import UpstreamMalformed  # noqa: PLC0415 - the same

    if isinstance(error, (UpstreamMalformed, PolicyInvalid)):
        return Exit.USAGE, f"IDP_{'UPSTREAM' if isinstance(error, UpstreamMalformed) else 'LOG_WITNESS_POLICY'}_FILE: {error}"

    if isinstance(error, JournalBroken):
        return Exit.NOT_READY, f"the erasure journal cannot be read at {error}; put a whole copy of it back: IDP_ERASURE_JOURNAL_FILE"
    return _meaning_below(error)


def _meaning_below(error: BaseException) -> tuple[Exit, str]:
    """Explain what the packages below raise."""
    from consent import errors as consent  # noqa: PLC0415 - needed only when something went wrong
    from keys import errors as keys  # noqa: PLC0415 - the same
    from migrations.standing import NotMigrated  # noqa: PLC0415 - the same

    match error:
        case NotMigrated():
            return Exit.NOT_READY, f"{error}; run: {error.mend}"
        case keys.StoreUnavailable():
            return Exit.NOT_READY, f"the {error} cannot be reached; run: idp doctor"
        case keys.RootKeyMissing() | keys.RootKeyLoose() | keys.RootKeyWrong() | keys.RootKeyMalformed():
            return Exit.ROOT_KEY, f"{error}; run: idp doctor"
        case consent.LogUnavailable() | consent.ChainDoubtful():
            return Exit.LOG, _about_the_log(error)
        case consent.PurposeRefused():
            return Exit.REFUSED, str(error)
        case _:
            return Exit.UNEXPECTED, _fault(error)


def _about_the_log(error: BaseException) -> str:
    """Explain what keeps the access log from writing."""
    from consent.errors import ChainDoubtful, PersonErased  # noqa: PLC0415 - as above

    if isinstance(error, PersonErased):
        return f"{error}; run: idp accounts replay-erasures"
    if isinstance(error, ChainDoubtful):
        return f"{error}: somebody changed the log's database; run: idp audit verify --live"
    return f"the access log cannot write: {error}; run: idp audit status"


def _fault(error: BaseException) -> str:
    if os.environ.get("IDP_LOG_LEVEL") == "debug":
        return "".join(traceback.format_exception(error))
    return f"a fault of the program ({type(error).__name__}); run again with IDP_LOG_LEVEL=debug to see where"


if __name__ == "__main__":
    main()
