"""Texts in both languages: a folder per language, a TOML file per area, `area.key` or `area.table.key` as the name of a text."""

from __future__ import annotations

import datetime as dt
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LANGUAGES: Final = ("id", "en")
DEFAULT_LANGUAGE: Final = "id"
_HOURS_FROM: Final = 1.5
"""From one and a half of a unit on, spans are told in it: 80 minutes, then 2 hours."""
FOLDER: Final = Path(__file__).parent / "locales"


class TextMissing(LookupError):
    """A text is asked for that no catalogue has: a mistake in a template, found by the tests."""


def load(folder: Path) -> dict[str, str]:
    """Read every area of one language into a flat mapping of names to texts."""
    texts: dict[str, str] = {}
    for file in sorted(folder.glob("*.toml")):
        _flatten(file.stem, tomllib.loads(file.read_text("utf-8")), texts)
    return texts


def _flatten(prefix: str, table: Mapping[str, object], texts: dict[str, str]) -> None:
    for key, value in table.items():
        name = f"{prefix}.{key}"
        if isinstance(value, dict):
            _flatten(name, value, texts)
        else:
            texts[name] = str(value).strip()


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> Catalogue:
    """Give the texts of a language, read from the disk once."""
    return Catalogue(language, load(FOLDER / language))


class Catalogue:
    """The texts of one language. Values are put in as `{name}`, spans of time in words; a `count` chooses between `….one` and `….other`."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._locale = Locale(language)
        self._texts = texts

    def __contains__(self, name: str) -> bool:
        return name in self._texts or f"{name}.other" in self._texts

    def items(self) -> Iterable[tuple[str, str]]:
        """Give every name with its text."""
        return self._texts.items()

    def text(self, name: str, /, **values: object) -> str:
        """Give a text with its values filled in; a name ending in `_html` is markup whose values are escaped.

        Raises: TextMissing.
        """
        count = values.get("count")
        found = self._find(name, count)
        if isinstance(count, int):
            values["count"] = format_decimal(count, locale=self._locale)
        values |= {name: self._lasting(value) for name, value in values.items() if isinstance(value, dt.timedelta)}
        if name.endswith("_html"):
            return Markup(found).format(**values)  # noqa: S704 - our own catalogue; `format` escapes the values
        return found.format(**values) if values else found

    def _lasting(self, span: dt.timedelta) -> str:
        """Give a span of time in the unit that people count it in: "15 menit", "24 jam"."""
        return format_timedelta(span, granularity="minute", threshold=_HOURS_FROM, locale=self._locale)

    def _find(self, name: str, count: object) -> str:
        if (found := self._texts.get(name)) is not None:
            return found
        if isinstance(count, int):
            form = self._locale.plural_form(count)
            if (found := self._texts.get(f"{name}.{form}", self._texts.get(f"{name}.other"))) is not None:
                return found
        raise TextMissing(f"{self.language}: {name}")
