"""ui.md: plain words, one word for one thing, the same texts in both languages, and every text that is asked for exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from idp.pages import texts

IDP = Path(texts.__file__).parents[1]
GLOSSARY = tomllib.loads((IDP / "pages" / "glossary.toml").read_text("utf-8"))
TERMS = {name: term for name, term in GLOSSARY.items() if isinstance(term, dict)}
CATALOGUES = {language: texts.load(texts.FOLDER / language) for language in texts.LANGUAGES}
OFFLINE = dict(zip(texts.LANGUAGES, (IDP / "audit" / "offline" / "words.js").read_text("utf-8").split("\n  en: {"), strict=True))
CHECKING = {language: dict(re.findall(r'^    (\w+): "(.*)",$', part, re.MULTILINE)) for language, part in OFFLINE.items()}
"""The sentences of the page that checks without a network, which carries its own."""
MOST_WORDS = 15

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)|\n")  # a line of a letter is a sentence of its own
_ASKED = re.compile(r"""\bt\(\s*(?:\w+,\s*)?"([a-z_]+\.[A-Za-z0-9_.]+)"\s*([~,)]| if )""")
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_PAGE_ERROR = re.compile(r'PageError\(\s*"([a-z_]+)"')


def _said(language: str) -> list[tuple[str, str]]:
    return [*CATALOGUES[language].items(), *CHECKING[language].items()]


def _plain(text: str) -> str:
    return re.sub(r"<[^>]+>", "", _PLACEHOLDER.sub("X", text))


def _forms(name: str) -> str:
    """Leave the plural form out: Indonesian needs only `other`."""
    return re.sub(r"\.(one|other)$", "", name)


def _has_word(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", _plain(text), re.IGNORECASE) is not None


def _sources() -> list[tuple[str, str]]:
    files = [*IDP.rglob("*.html"), *IDP.rglob("*.py")]
    return [(str(file.relative_to(IDP)), _COMMENT.sub("", file.read_text("utf-8"))) for file in files]


def test_both_languages_have_the_same_texts() -> None:
    names = {language: {_forms(name) for name in catalogue} for language, catalogue in CATALOGUES.items()}
    assert names["id"] == names["en"]


def test_a_text_takes_the_same_values_in_both_languages() -> None:
    for name, text in CATALOGUES["id"].items():
        values = set(_PLACEHOLDER.findall(text))
        other = CATALOGUES["en"].get(name) or CATALOGUES["en"][f"{_forms(name)}.other"]
        assert values == set(_PLACEHOLDER.findall(other)), name
    for name, text in CHECKING["id"].items():
        assert set(_PLACEHOLDER.findall(text)) == set(_PLACEHOLDER.findall(CHECKING["en"][name])), name
    assert len(CHECKING["id"]) > 100


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_no_word_of_the_trade_stands_on_a_page(language: str) -> None:
    found = [(name, word) for name, text in _said(language) for word in GLOSSARY["forbidden"] if _has_word(word, text)]
    assert found == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_one_thing_has_one_word(language: str) -> None:
    never = [word for term in TERMS.values() for word in term[f"never_{language}"]]
    found = [(name, word) for name, text in _said(language) for word in never if _has_word(word, text)]
    assert found == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_sentence_has_at_most_fifteen_words(language: str) -> None:
    long = [
        (name, sentence)
        for name, text in _said(language)
        for sentence in _SENTENCE_END.split(_plain(text))
        if len(sentence.split()) > MOST_WORDS
    ]
    assert long == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_term_of_the_glossary_is_in_use(language: str) -> None:
    everything = "\n".join(CATALOGUES[language].values())
    missing = [name for name, term in TERMS.items() if not _has_word(term[language], everything)]
    assert missing == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_text_that_a_page_asks_for_exists(language: str) -> None:
    catalogue = texts.Catalogue(language, CATALOGUES[language])
    missing = []
    for where, source in _sources():
        for name, follows in _ASKED.findall(source):
            known = any(key.startswith(name) for key in CATALOGUES[language]) if follows == "~" else name in catalogue
            if not known:
                missing.append((where, name))
    assert missing == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_page_error_says_what_happened_and_leads_on(language: str) -> None:
    codes = {code for _, source in _sources() for code in _PAGE_ERROR.findall(source)}
    wanted = {f"error.{code}.{part}" for code in codes for part in ("title", "text", "way_on")}
    assert wanted - set(CATALOGUES[language]) == set()
