"""Writes docs/settings.md from the settings themselves: `python -m idp.setting_docs [--check] FILE`."""

from __future__ import annotations

import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from idp.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

HEAD = """# Settings

Written by `make docs` from `idp/settings.py`; do not edit by hand.

Every setting is an environment variable, or a key of `idp.toml` (the same name without `IDP_`, in lower case). The file is the one that
`IDP_CONFIG` names, else `idp.toml` in the data folder; a variable wins over the file. Relative paths in the file count from its folder.
Any variable can be given as a file instead: `IDP_DATABASE_URL_FILE=/run/secrets/database-url` reads the value from there, which keeps
passwords out of the environment. All settings are checked when the program starts; an unknown `IDP_…` name is an error that names the
nearest known one. Lifetimes are whole seconds.

| setting | default | what it is |
|---|---|---|
"""
_COMPUTED = {
    "data_dir": "`data`",
    "database_url": "`sqlite:///<data folder>/idp.sqlite3`",
    "root_key_file": "`<data folder>/root.key`",
    "log_anchor_file": "`<data folder>/log.anchor`",
    "erasure_journal_file": "`<data folder>/erasure.journal`",
}


def document() -> str:
    """Give the whole document."""
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    text = (field.description or "") + (f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else "")
    return f"| `IDP_{name.upper()}` | {_COMPUTED.get(name) or _default(field)} | {text} |\n"


def _default(field: FieldInfo) -> str:
    if field.default is None or field.default == ():
        return ""
    return f"`{field.default}`"


def _choices(annotation: object) -> tuple[str, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) is Literal else ()


def main(arguments: list[str]) -> int:
    """Write the file, or with `--check` say whether it is fresh."""
    *flags, file = arguments
    if flags == ["--check"]:
        fresh = Path(file).read_text(encoding="utf-8") == document()
        if not fresh:
            sys.stderr.write(f"{file} is not what idp/settings.py says; run: make docs\n")
        return 0 if fresh else 1
    Path(file).write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
