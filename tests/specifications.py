"""Writes docs/specifications.md: each specification, the modules that name it, the tests that hold it, and what is left out, and why.

`python -m tests.specifications [--check] FILE`. A module or test file belongs to a specification when its docstrings cite it, so the
table is as true as those docstrings; what is left out is written by hand in docs/specifications.toml.
"""

from __future__ import annotations

import ast
import dataclasses
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
HEAD = """# Specifications

Written by `make docs` from the docstrings of modules and tests and from docs/specifications.toml; do not edit by hand.

For each specification: the modules that implement it, the test files that hold it (with the number of tests in them), and what is left out.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A Python file: its path from the root, what its first docstring and all of them say, and how many tests it holds."""

    path: str
    docstring: str
    docstrings: str
    tests: int


def document() -> str:
    """Give the whole document."""
    listed = tomllib.loads((ROOT / "docs" / "specifications.toml").read_text(encoding="utf-8"))["specification"]
    modules, tests = list(_sources("keys", "consent", "idp")), list(_sources("tests"))
    return HEAD + "".join(_section(each, modules, tests) for each in listed)


def _section(each: dict[str, object], modules: Sequence[Source], tests: Sequence[Source]) -> str:
    implemented = _citing(modules, each["cited"])
    held = _citing([source for source in tests if source.tests], each["cited"])
    lines = [
        f"\n## {each['title']}\n",
        f"- Modules: {', '.join(f'`{source.path}`' for source in implemented) or 'none'}",
        f"- Tests: {', '.join(f'`{source.path}` ({source.tests})' for source in held) or 'none of its own'}",
    ]
    if "left_out" in each:
        lines.append(f"- Left out: {each['left_out']}")
    return "\n".join(lines) + "\n"


def _citing(sources: Sequence[Source], words: object) -> Sequence[Source]:
    """Find the files whose first docstring names a specification; where no file is devoted to it, those that name it anywhere."""
    assert isinstance(words, list)
    devoted = [source for source in sources if any(_named(str(word), source.docstring) for word in words)]
    return devoted or [source for source in sources if any(_named(str(word), source.docstrings) for word in words)]


def _named(word: str, text: str) -> bool:
    """Find a citation; "RFC 6749 §2, RFC 7523" cites both, "RFC 67490" neither."""
    at = text.find(word)
    return at >= 0 and not (word[-1].isdigit() and text[at + len(word) :][:1].isdigit())


def _sources(*folders: str) -> Iterator[Source]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" in path.parts:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            tests = sum(
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") for node in ast.walk(tree)
            )
            yield Source(path.relative_to(ROOT).as_posix(), _docstring(tree), " ".join(map(_docstring, _documented(tree))), tests)


def _documented(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef))


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split())


def main(arguments: Sequence[str]) -> int:
    """Write the file, or with `--check` say whether it is fresh."""
    *flags, file = arguments
    if flags == ["--check"]:
        fresh = Path(file).read_text(encoding="utf-8") == document()
        if not fresh:
            sys.stderr.write(f"{file} is not what the docstrings say; run: make docs\n")
        return 0 if fresh else 1
    Path(file).write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
