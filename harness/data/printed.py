"""Lists and objects that a program printed into a text: as JSON, Python or numpy writes them."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

SHOWN = 40  # characters of a value in an error
_TOKEN = re.compile(
    r"""\s+|[bru]?'(?:[^'\\]|\\.)*'|[bru]?"(?:[^"\\]|\\.)*"|\.\.\.|[\[\](){},:=]|[^\s'"\[\](){},:=]+""", re.S
)
_NAMES = {"null": None, "nan": None, "NaN": None, "None": None, "true": True, "false": False, "True": True, "False": False}  # fmt: skip


def printed(text: str) -> Any:
    """The list, tuple or object that a program printed into a text, as JSON, Python or numpy writes it; None: it is no such text.

    numpy's arrays have no commas (`['Ann' 'Lee']`, `[1 2 0]`), and may be called (`array([1], dtype=int32)`).

    Raises:
        ValueError: an array that was cut short by `...` when it was printed, or an object in which a key stands twice.
    """
    bare = text.strip()
    if (bare[:1], bare[-1:]) not in (("[", "]"), ("{", "}"), ("(", ")")) and not in_brackets(bare):
        return None
    try:
        found = json.loads(bare, object_pairs_hook=_object)
    except _Twice:
        raise
    except (ValueError, RecursionError):
        found = _literal(bare)
    return found if isinstance(found, list | tuple | dict) else None


class _Twice(ValueError):
    """A key stands twice in an object."""


def _object(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(f"the key {short(next(name for name in made if names.count(name) > 1))} stands twice in an object")
    return made


def in_brackets(bare: str) -> bool:
    """Whether a text without outer blanks is written as a list is."""
    return (bare[:1] == "[" and bare[-1:] == "]") or (bare.startswith("array(") and bare[-1:] == ")")


def short(value: Any) -> str:
    """The beginning of a value, as an error shows it."""
    shown = repr(value)
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def _literal(text: str) -> Any:
    """A literal of Python or numpy. Python itself would join `'Ann' 'Lee'` to one string, so commas are put in first."""
    parts: list[str] = []
    before, position, cut = "", 0, False
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:  # a quotation mark without its partner
            return None
        token, position = match[0], match.end()
        if token == "...":
            cut = True
        elif not token.isspace():
            called = token == "(" and (before.isidentifier() or before.startswith(("np.", "numpy.")))
            if before and before[-1] not in "[({,:=" and token[0] not in "])},:=" and not called:
                parts.append(",")
            if not (token == "," and before == ","):  # `1, ..., 9` without its dots
                parts.append(token)
            before = token
    try:
        tree = _Calls().visit(ast.parse("".join(parts), mode="eval"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                _object([(key.value, None) for key in node.keys if isinstance(key, ast.Constant)])
        found = ast.literal_eval(tree)
    except _Twice:
        raise
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if cut and found and isinstance(found, list | tuple | dict):
        raise ValueError(f"{short(text)} was cut short by ... when it was printed; write all of it, as JSON")
    return None if cut else found


class _Calls(ast.NodeTransformer):
    """`array([515], dtype=int32)`, `np.str_('Ann')` and `nan` are the values that they print."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        numpy = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("np", "numpy")
        array = isinstance(node.func, ast.Name) and node.func.id == "array"
        return self.visit(node.args[0]) if (array or numpy) and node.args else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(_NAMES[node.id]) if node.id in _NAMES else node
