"""A hash of what code does: the same after a comment, a reformatting or a move, another after a change of the code.

A training run takes hours and is known by the code that trains it. So the hash is of syntax trees, and of definitions
and not of files:

- It starts at the function that trains and follows names: to the functions, classes and constants of the lab that
  this definition uses, and to those that they use. What is not reached does not count, wherever it stands.
- Definitions are numbered in the order in which they are reached, and a name that means one of them becomes its
  number. So neither the module of a definition nor the path or alias by which it was imported matters, nor the order of
  definitions in a file. Names of the libraries become full paths (``np.exp``, ``numpy.exp``). Other rooms of this
  package carry and read rows; what they lend counts by its name only, so that they can change and move too.
- Out of a tree go comments and positions (they are not in it), docstrings, imports, annotations and ``pass``. A field
  of a class stays, and of its annotation ``ClassVar``, ``InitVar`` and ``KW_ONLY``.
- A module that is used as a whole, not by an attribute, counts with all its definitions. Statements that run at import
  (a call, an ``if``, a ``try``) count where anything of their module does.

When in doubt the hash changes: training again is slow, but a stale run would be wrong. What it cannot see is code that
is found by a text: ``getattr(module, text)`` counts the whole module, ``import_module(text)`` counts nothing.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

from bitrate.errors import InputError

LAB = "bitrate.lab"
#: Parts of a tree that do not change what it does.
SILENT = {"annotation", "returns", "ctx", "kind", "type_comment", "type_params"}
#: Words of an annotation that a dataclass heeds.
HEEDED = {"ClassVar", "InitVar", "KW_ONLY"}
Function = ast.FunctionDef | ast.AsyncFunctionDef
#: Statements that do nothing but bind names.
BINDS = (*get_args(Function), ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)


def code_hash(function: Callable[..., object], follow: str = LAB) -> str:
    """Hash of a function of a module, and of all that it reaches.

    Args:
        function: where to start.
        follow: package whose definitions are followed; so are those of the function's own module.

    Returns:
        64 hexadecimal digits.

    Raises:
        InputError: the function is not in the source of a module.
    """
    return _hash(str(function.__module__), function.__qualname__.partition(".")[0], follow)


@cache
def _hash(module: str, name: str, follow: str) -> str:
    start = _module(module)
    if start is None or name not in start.bound:
        raise InputError(f"no source of {module}.{name} is found; want a function that stands in a file")
    trees = _Reader(module, follow).read(module, name)
    return hashlib.sha256(repr(trees).encode()).hexdigest()


@dataclass(frozen=True)
class _Path:
    """What an import binds a name to: a module, or what is in it."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class _Definition:
    """A name at the top level of a module that is followed; no name: what runs when the module is imported."""

    module: str
    name: str | None


#: What a name stands for inside a function: None for what is its own.
Scope = Mapping[str, _Path | None]


@dataclass(frozen=True)
class _Module:
    """The top level of a file: what relative imports start from, what binds each name, and what only runs."""

    package: str
    bound: dict[str, list[ast.stmt] | _Path]
    loose: list[ast.stmt]


@cache
def _module(name: str) -> _Module | None:
    """A module, from its source; None where there is none."""
    path = _source(name)
    if path is None:
        return None
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    bound, loose = dict[str, list[ast.stmt] | _Path](), list[ast.stmt]()
    for statement in _working(ast.parse(path.read_bytes()).body):
        names = _own([statement], package)
        if not names or not isinstance(statement, BINDS):
            loose.append(statement)
        for word, path_of in names.items():
            known = bound.get(word)
            if path_of is None:
                bound[word] = [*known, statement] if isinstance(known, list) else [statement]
            else:
                bound[word] = path_of
    return _Module(package, bound, loose)


def _source(name: str) -> Path | None:
    """The file of a module, without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):  # ValueError: __main__, whose file is known all the same
        found = getattr(sys.modules.get(name), "__file__", None)
    else:
        found = spec.origin if spec and spec.has_location else None
    return Path(found) if found and found.endswith(".py") else None


def _working(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that do something: no text that stands alone, no ``pass``, nothing for type checkers only."""
    for statement in body:
        alone = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        checked = isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING")
        if not (alone or checked or isinstance(statement, ast.Pass)):
            yield statement


def _own(body: Iterable[ast.AST], package: str) -> dict[str, _Path | None]:
    """The names that statements bind in their own scope, and what imports bind theirs to."""
    found, shared, ahead = dict[str, _Path | None](), set[str](), list(body)
    while ahead:
        node = ahead.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.setdefault(node.name)
            case ast.Lambda():
                pass
            case ast.Import():
                for a in node.names:
                    parts = tuple(a.name.split("."))
                    found[a.asname or parts[0]] = _Path(parts if a.asname else parts[:1])
            case ast.ImportFrom():
                whole = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                for a in node.names:
                    found |= _all(whole) if a.name == "*" else {a.asname or a.name: _Path((*whole.split("."), a.name))}
            case ast.Global():
                shared |= set(node.names)
            case ast.comprehension():
                ahead += [node.iter, *node.ifs]
            case ast.Name(ctx=ast.Store() | ast.Del()):
                found.setdefault(node.id)
            case _:
                word = (
                    getattr(node, "rest", None) if isinstance(node, ast.MatchMapping) else getattr(node, "name", None)
                )
                if isinstance(word, str):  # of an exception or a pattern
                    found.setdefault(word)
                ahead += ast.iter_child_nodes(node)
    return {word: path for word, path in found.items() if word not in shared}


def _all(module: str) -> dict[str, _Path | None]:
    """What ``from module import *`` may bind."""
    there = _module(module)
    return {word: _Path((*module.split("."), word)) for word in there.bound} if there else {}


@dataclass
class _Reader:
    """Reads definitions as they are reached, and numbers them."""

    start: str
    follow: str
    numbers: dict[_Definition, int] = field(default_factory=dict)

    def read(self, module: str, name: str) -> list[Any]:
        """The trees of a definition and of all that it reaches."""
        self._number(module, name)
        trees: list[Any] = []
        while len(trees) < len(self.numbers):
            definition = list(self.numbers)[len(trees)]
            trees.append(self._definition(definition))
        return trees

    def _definition(self, of: _Definition) -> Any:
        module = _module(of.module)
        assert module
        statements = module.loose if of.name is None else module.bound[of.name]
        assert isinstance(statements, list)
        return [self._tree(s, of.module, {}, top=True) for s in statements]

    def _number(self, module: str, name: str) -> str:
        there = _module(module)
        number = self.numbers.setdefault(_Definition(module, name), len(self.numbers))
        if there and there.loose:
            self.numbers.setdefault(_Definition(module, None), len(self.numbers))
        return f"#{number}"

    def _followed(self, module: str) -> bool:
        return module == self.start or f"{module}.".startswith(f"{self.follow}.")

    def _meaning(self, node: ast.expr, here: str, scope: Scope) -> _Path | _Definition | None:
        """What a name, or a chain of attributes, stands for; None for what is no import and no definition."""
        if isinstance(node, ast.Name):
            if node.id in scope:
                path = scope[node.id]
                return self._at(path) if path else None
            module = _module(here)
            return self._at(_Path((*here.split("."), node.id))) if module and node.id in module.bound else None
        if isinstance(node, ast.Attribute):
            below = self._meaning(node.value, here, scope)
            return self._at(_Path((*below.parts, node.attr))) if isinstance(below, _Path) else None
        return None

    def _at(self, path: _Path) -> _Path | _Definition:
        """The definition that a path leads to, through the imports of modules on its way; else the path."""
        module, name = ".".join(path.parts[:-1]), path.parts[-1]
        there = _module(module) if self._followed(module) else None
        if there is None or name not in there.bound:
            return path
        found = there.bound[name]
        return self._at(found) if isinstance(found, _Path) else _Definition(module, name)

    def _spelt(self, meaning: _Path | _Definition) -> Any:
        """How a definition or a path stands in a tree."""
        if isinstance(meaning, _Definition):
            assert meaning.name
            return self._number(meaning.module, meaning.name)
        whole = ".".join(meaning.parts)
        there = _module(whole) if self._followed(whole) else None
        if there:
            return ["all", *[self._spelt(self._at(_Path((*meaning.parts, word)))) for word in sorted(there.bound)]]
        ours = meaning.parts[0] == self.follow.partition(".")[0]
        return meaning.parts[-1] if ours else whole

    def _tree(self, part: Any, here: str, scope: Scope, top: bool = False) -> Any:
        """A part of a tree as nested lists and texts; ``top`` of a definition itself, whose name does not count."""
        if isinstance(part, list):
            body = _working(part) if part and isinstance(part[0], ast.stmt) else part
            return [self._tree(n, here, scope) for n in body if not isinstance(n, ast.Import | ast.ImportFrom)]
        if not isinstance(part, ast.AST):
            return repr(part)
        meaning = self._meaning(part, here, scope) if isinstance(part, ast.expr) else None
        return self._spelt(meaning) if meaning else self._node(part, here, scope, top)

    def _node(self, node: ast.AST, here: str, scope: Scope, top: bool) -> list[Any]:
        """What is no name of a definition: its kind and its parts, each in the scope that it is evaluated in."""
        there = _module(here)
        assert there

        def inside(part: Any, more: Scope | None = None) -> Any:
            return self._tree(part, here, {**scope, **more} if more else scope)

        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                body = [node.body] if isinstance(node, ast.Lambda) else node.body
                outer = [inside(node.args), inside(getattr(node, "decorator_list", []))]
                own = _own([*body, *_arguments(node.args)], there.package)
                said = [*outer, inside(body, own)]
            case ast.ClassDef():
                # Names that a class body binds are not seen in its methods.
                own = {word: path for word, path in _own(node.body, there.package).items() if path}
                members = [self._member(n, here, {**scope, **own}) for n in _working(node.body)]
                said = [*map(inside, (node.decorator_list, node.bases, node.keywords)), members]
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                own = _own([g.target for g in node.generators], there.package)
                said = [inside(node.generators[0].iter), *[inside(value, own) for _, value in _fields(node)]]
            case ast.AnnAssign():
                return ["Assign", inside([node.target]), inside(node.value)] if node.value else []
            case ast.Assign():
                return ["Assign", inside(node.targets), inside(node.value)]
            case _:
                said = [[name, inside(value)] for name, value in _fields(node)]
        return [type(node).__name__, "" if top else getattr(node, "name", ""), *said]

    def _member(self, node: ast.stmt, here: str, scope: Scope) -> Any:
        """A statement of a class: the fields of a dataclass are declared by annotations."""
        if not isinstance(node, ast.AnnAssign):
            return self._tree([node], here, scope)
        words = {n.id for n in ast.walk(node.annotation) if isinstance(n, ast.Name)}
        words |= {n.attr for n in ast.walk(node.annotation) if isinstance(n, ast.Attribute)}
        value = self._tree(node.value, here, scope) if node.value else None
        return ["field", ast.unparse(node.target), sorted(words & HEEDED), value]


def _arguments(args: ast.arguments) -> list[ast.Name]:
    """The parameters of a function, as names that it binds."""
    every = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    return [ast.Name(a.arg, ast.Store()) for a in every if a]


def _fields(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """What a node says, apart from what is silent or not there."""
    return ((name, value) for name, value in ast.iter_fields(node) if name not in SILENT and value not in (None, []))
