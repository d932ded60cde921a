"""Every regular expression of the program, how it is used, and input meant to be hard for it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

PACKAGES = ("bot", "cogs")
METHODS = ("match", "fullmatch", "search", "finditer")
EACH = {"findall": "finditer", "sub": "finditer", "subn": "finditer", "split": "finditer"}

CALLS = {"compile", *METHODS, *EACH}

COMMON = (" ", "\n", "a", "0", "_", "é", "\\", ".")
"""Tried with all expressions, beside the characters that they name."""

MOST_TOKENS = 14
MOST_STARTS = 6
END = "\0\0"
"""Few expressions match it, so that what went before has to be given up again."""


@dataclass(frozen=True)
class Used:
    """An expression: where it stands, and by which methods it is tried on texts."""

    place: str
    pattern: re.Pattern[Any] = field(compare=False)
    methods: frozenset[str] = frozenset(METHODS)

    def runs(self) -> Iterator[Callable[[Any], object]]:
        """Yield the calls that are tried on a text."""
        for method in sorted(self.methods):
            if method == "finditer":
                yield lambda text: [None for _ in self.pattern.finditer(text)]
            else:
                yield getattr(self.pattern, method)

    def hostile_texts(self) -> Iterator[Callable[[int], Any]]:
        """Makers of texts of about so many characters, of what the expression looks for."""
        is_text = isinstance(self.pattern.pattern, str)

        def maker(start: str, pump: str) -> Callable[[int], Any]:
            def make(size: int) -> Any:
                text = start + pump * (size // len(pump)) + END
                return text if is_text else text.encode()

            return make

        return (maker(start, pump) for start, pump in self._made_of())

    def _made_of(self) -> Iterator[tuple[str, str]]:
        tokens = _tokens(self.pattern)
        yield from (("", a) for a in tokens)
        yield from (("", a + b) for a in tokens for b in tokens if a != b)
        yield from ((a, b) for a in tokens[:MOST_STARTS] for b in tokens if a != b)


def modules() -> Iterator[ModuleType]:
    """All modules of the program that can be imported here."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not found.name.endswith("__main__") and ".migrations" not in found.name:
                yield importlib.import_module(found.name)


def all_used() -> list[Used]:
    """The expressions of all modules: named ones, discord.py's templates, those in functions."""
    nodes = {module: list(ast.walk(_tree(module))) for module in modules()}
    uses = {module: _Uses.among(those) for module, those in nodes.items()}
    everywhere = _Uses.of_all(uses.values())
    found: dict[tuple[str, int], Used] = {}
    for module, those in nodes.items():
        for name, value in _named(module):
            uses_of_it = uses[module] if name.startswith("_") else everywhere
            key = (str(value.pattern), value.flags)
            known = found.get(key)
            used = uses_of_it.methods(name.rpartition(".")[2]) or frozenset(METHODS)
            used |= known.methods if known else frozenset()
            found[key] = Used(f"{module.__name__}:{name}", value, used)
        for line, method, pattern in _inline(those, module):
            key = (str(pattern.pattern), pattern.flags)
            found.setdefault(key, Used(f"{module.__name__}:{line}", pattern, frozenset({method})))
    return sorted(found.values(), key=lambda used: used.place)


def made_in_functions() -> Iterator[str]:
    """Yield the functions that make an expression of what is known only at the call."""
    for module in modules():
        for function in ast.walk(_tree(module)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in _calls(ast.walk(function)):
                    if call.args and not _is_known(call.args[0], module):
                        yield f"{module.__name__}:{function.name}"


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text("utf-8"))


def _named(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in vars(module).items():
        if isinstance(value, re.Pattern):
            yield name, value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for inner, attribute in vars(value).items():
                if isinstance(attribute, re.Pattern):
                    yield f"{name}.{inner}", attribute


def _inline(
    nodes: Iterable[ast.AST], module: ModuleType
) -> Iterator[tuple[int, str, re.Pattern[Any]]]:
    for call in _calls(nodes):
        assert isinstance(call.func, ast.Attribute)
        method = EACH.get(call.func.attr, call.func.attr)
        if method in METHODS and call.args and _is_known(call.args[0], module):
            flags = [k.value for k in call.keywords if k.arg == "flags"]
            value = eval(compile(ast.Expression(flags[0]), "", "eval"), {"re": re}) if flags else 0
            text = eval(compile(ast.Expression(call.args[0]), "", "eval"), vars(module))
            yield call.lineno, method, re.compile(text, value)


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Calls of the module ``re``."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=attr)) if attr in CALLS:
                yield node


def _is_known(argument: ast.expr, module: ModuleType) -> bool:
    """Tell if an expression is made of constants: the same at each call."""
    names = [node.id for node in ast.walk(argument) if isinstance(node, ast.Name)]
    return all(isinstance(vars(module).get(name), str | bytes) for name in names)


@dataclass(frozen=True)
class _Uses:
    """By which methods names are used as expressions, and the names that are handed on."""

    by_method: dict[str, set[str]]
    handed_on: set[str]

    @classmethod
    def among(cls, nodes: Iterable[ast.AST]) -> _Uses:
        found = cls({}, set())
        owners: dict[ast.AST, str] = {}  # what is looked up in a node, which comes after
        for node in nodes:
            if isinstance(node, ast.Attribute):
                name, owners[node.value] = node.attr, node.attr
            elif isinstance(node, ast.Name):
                name = node.id
            else:
                continue
            if isinstance(node.ctx, ast.Store):
                continue
            method = owners.get(node, "")
            method = EACH.get(method, method)
            if method in METHODS:
                found.by_method.setdefault(name, set()).add(method)
            else:
                found.handed_on.add(name)
        return found

    @classmethod
    def of_all(cls, uses: Iterable[_Uses]) -> _Uses:
        found = cls({}, set())
        for each in uses:
            found.handed_on.update(each.handed_on)
            for name, methods in each.by_method.items():
                found.by_method.setdefault(name, set()).update(methods)
        return found

    def methods(self, name: str) -> frozenset[str]:
        """The methods by which a name is used; none where it is handed on."""
        return frozenset(() if name in self.handed_on else self.by_method.get(name, ()))


def _tokens(pattern: re.Pattern[Any]) -> list[str]:
    """Characters, and runs of them, that an expression names; common ones after those."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    runs: dict[str, None] = {}
    chars: dict[str, None] = {}
    _collect(parser.parse(source, pattern.flags & ~re.UNICODE), runs, chars)
    tokens = dict.fromkeys([*runs, *chars, *COMMON])
    return list(tokens)[:MOST_TOKENS]


def _collect(tree: Any, runs: dict[str, None], chars: dict[str, None]) -> None:
    run = ""
    for op, value in tree:
        if op is code.LITERAL:
            run += chr(value)
            chars[chr(value)] = None
            continue
        if len(run) > 1:
            runs[run] = None
        run = ""
        if op is code.IN:
            for kind, inner in value:
                if kind is code.LITERAL:
                    chars[chr(inner)] = None
                elif kind is code.RANGE:
                    chars[chr(inner[0])] = None
        for part in value if isinstance(value, tuple | list) else (value,):
            for deeper in part if isinstance(part, list) else (part,):
                if isinstance(deeper, parser.SubPattern):
                    _collect(deeper, runs, chars)
    if len(run) > 1:
        runs[run] = None
