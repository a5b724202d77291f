"""The tree reads well: short modules, short functions, a paragraph for each package, nothing committed or opened past its owner."""

from __future__ import annotations

import ast
import functools
import statistics
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
PACKAGES = ("keys", "consent", "idp", "migrations")
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50
PURE = ("idp/spec/*.py", "idp/**/rules.py", "idp/authorize/dispatch.py", "consent/decision.py", "consent/merkle.py", "keys/rotation.py")
CLOCKS_AND_CHANCE = {"now", "utcnow", "today", "urandom", "token_bytes", "token_urlsafe", "randbelow", "perf_counter", "monotonic"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def modules() -> Sequence[tuple[str, ast.Module, str]]:
    """Give name, tree and text of every module; read once for all tests, which change nothing."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    sources = [(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")) for file in files]
    return [(name, ast.parse(source), source) for name, source in sources]


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(node: Function) -> int:
    """Lines of the body, without the docstring."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr


def test_no_module_has_300_lines() -> None:
    assert [f"{name}: {len(source.splitlines())}" for name, _, source in modules() if len(source.splitlines()) >= LONGEST_MODULE] == []


def test_no_function_has_more_than_50_lines() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}: {length(node)}"
        for name, tree, _ in modules()
        if "versions/" not in name
        for node in functions(tree)
        if length(node) > LONGEST_FUNCTION
    ]
    assert long == []


def test_functions_are_short_as_a_rule() -> None:
    lengths = sorted(length(node) for name, tree, _ in modules() if "versions/" not in name for node in functions(tree))
    assert statistics.median(lengths) <= 8
    assert lengths[int(len(lengths) * 0.9)] <= 25


def test_every_package_of_the_house_says_what_it_owns_and_what_it_must_not_know() -> None:
    silent = [
        name
        for name, tree, _ in modules()
        if name.endswith("__init__.py") and name.count("/") <= 2 and not name.startswith("migrations/")
        if not (ast.get_docstring(tree) or "").strip()
    ]
    assert silent == []
    for package in ("keys", "consent", "idp"):
        text = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
        assert "Owns" in text
        assert "ust not know" in text


def test_every_specification_and_rule_module_says_which_specification_it_follows() -> None:
    import re

    unnamed = [
        name
        for name, tree, _ in modules()
        if (name.startswith("idp/spec/") or name.endswith("/rules.py")) and not name.endswith("__init__.py")
        if not re.search(r"RFC|OIDC|OpenID|OAuth|§|UU|ui\.md|law\.md|NIST|CSP|BCP|C2SP", (ast.get_docstring(tree) or "").partition("\n")[0])
    ]
    assert unnamed == []


def test_only_the_database_handle_commits() -> None:
    """Others call `commit()` of the handle's Transaction, which is always named `transaction`."""
    strangers = [
        f"{name}:{call.lineno}"
        for name, tree, _ in modules()
        if name != "keys/database.py"
        for call, method in calls(tree)
        if method in {"commit", "begin", "begin_nested"} and not call.keywords
        if not (method == "commit" and isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).endswith("transaction"))
        if name != "migrations/upgrade.py"
    ]
    assert strangers == []


def test_pure_modules_have_no_clock_and_no_chance() -> None:
    pure = {str(file.relative_to(ROOT)) for pattern in PURE for file in ROOT.glob(pattern)}
    impure = [
        f"{name}:{call.lineno} {method}"
        for name, tree, _ in modules()
        if name in pure
        for call, method in calls(tree)
        if method in CLOCKS_AND_CHANCE
    ]
    assert impure == []


def test_no_exception_is_swallowed_whole() -> None:
    swallowed = [
        f"{name}:{node.lineno}"
        for name, tree, _ in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        if node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        if all(isinstance(statement, ast.Pass) for statement in node.body)
    ]
    assert swallowed == []


def test_what_an_idle_process_does_not_need_is_imported_by_who_needs_it() -> None:
    """Design §9: py_webauthn costs 5 MB and a quarter of a second."""
    early = [name for name, tree, _ in modules() for node in tree.body if "webauthn" in imported(node)]
    assert early == []


def imported(node: ast.stmt) -> set[str]:
    """Name the packages that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return {alias.name.partition(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()


def test_nothing_is_left_to_do_in_the_code() -> None:
    assert [name for name, _, source in modules() if any(mark in source for mark in ("TODO", "FIXME", "XXX"))] == []


def test_no_test_is_skipped() -> None:
    skipping = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "tests").rglob("*.py")
        if file != Path(__file__)
        if any(mark in file.read_text(encoding="utf-8") for mark in ("pytest.skip", "mark.skip", "mark.xfail", "importorskip"))
    ]
    assert skipping == []


def test_nothing_asks_for_our_installed_package() -> None:
    """`make demo` runs from a clone with the packages of the runtime lock alone: the project itself is not installed there."""
    asking = [name for name, _, source in modules() if "importlib.metadata" in source]
    assert asking == []
