"""Where settings come from: `IDP_…` variables (or the file that `IDP_…_FILE` names) and `idp.toml`. Knows no single setting."""

from __future__ import annotations

import difflib
import os
import tomllib
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_settings import PydanticBaseSettingsSource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic.fields import FieldInfo

PREFIX = "IDP_"
NOT_SETTINGS = ("IDP_CONFIG", "IDP_TEST_", "IDP_BENCH_")


class SettingsRefused(Exception):
    """The settings cannot be used; `problems` says, a line each, what is wrong with which one."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def unknown_variables(environ: Mapping[str, str], fields: Collection[str]) -> list[str]:
    """Name each `IDP_…` variable that no setting reads, with the nearest that one does (pydantic would ignore it silently)."""
    known = {PREFIX + field.upper() for field in fields}
    names = [name for name in environ if name.startswith(PREFIX) and not name.startswith(NOT_SETTINGS)]
    return [_unknown(name, known) for name in sorted(names) if name not in known and name.removesuffix("_FILE") not in known]


def _unknown(name: str, known: Collection[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"{name} is no setting" + (f"; did you mean {nearest[0]}?" if nearest else "")


class _Source(PydanticBaseSettingsSource):
    """A source that yields a flat mapping of field names to raw values."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not used: `__call__` gives the whole mapping."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        return self.values()

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """Give what this source states."""


class EnvironmentSource(_Source):
    """`IDP_NAME`, else the content of the file that `IDP_NAME_FILE` names. An empty variable counts as unset."""

    def values(self) -> dict[str, Any]:
        """Read the environment. Raises: SettingsRefused for a file that cannot be read."""
        found = {field: self._value(PREFIX + field.upper()) for field in self.settings_cls.model_fields}
        return {field: value for field, value in found.items() if value is not None}

    def _value(self, name: str) -> str | None:
        file = os.environ.get(f"{name}_FILE")
        if os.environ.get(name):
            return os.environ[name]
        return _content(f"{name}_FILE", file) if file else None


def _content(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"{name}: cannot read {file}: {_reason(error)}") from error


class TomlSource(_Source):
    """The settings file: flat keys, named as the variables without prefix, in lower case."""

    def values(self) -> dict[str, Any]:
        """Read the file. Raises: SettingsRefused when it is absent though named, no TOML, or states an unknown key."""
        file = self._file()
        if file is None:
            return {}
        stated = _parsed(file)
        known = self.settings_cls.model_fields
        unknown = [f"{file}: {_unknown(key, known)}" for key in stated if key not in known]
        if unknown:
            raise SettingsRefused(*unknown)
        return {key: self._placed(key, value, file.parent) for key, value in stated.items()}

    def _file(self) -> Path | None:
        named = os.environ.get("IDP_CONFIG")
        if named:
            return Path(named).expanduser()
        folder = self.current_state.get("data_dir", self.settings_cls.model_fields["data_dir"].default)
        file = Path(folder).expanduser() / "idp.toml"
        return file if file.exists() else None

    def _placed(self, key: str, value: object, folder: Path) -> object:
        is_path = "Path" in str(self.settings_cls.model_fields[key].annotation)
        return folder / value if is_path and isinstance(value, str) else value


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused(f"{file} is not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"cannot read the settings file {file}: {_reason(error)}") from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not UTF-8 text"
