"""Parse lists and objects that a program printed into a text cell, as JSON, Python or numpy write them."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

SHOWN = 40  # characters of a value in an error
_TOKEN = re.compile(r"""\s+|[bru]?'(?:[^'\\]|\\.)*'|[bru]?"(?:[^"\\]|\\.)*"|\.\.\.|[\[\](){},:=]|[^\s'"\[\](){},:=]+""", re.S)
_NAMES = {"null": None, "nan": None, "NaN": None, "None": None, "true": True, "false": False, "True": True, "False": False}  # fmt: skip


def printed(text: str) -> Any:
    """Parse a printed list, tuple or object; return None if the text is none of these.

    numpy prints arrays without commas (`['Ann' 'Lee']`, `[1 2 0]`), sometimes as a call (`array([1], dtype=int32)`).

    Raises:
        ValueError: `...` replaced a part of the array when it was printed, or an object has a duplicate key.
    """
    bare = text.strip()
    if (bare[:1], bare[-1:]) not in (("[", "]"), ("{", "}"), ("(", ")")) and not in_brackets(bare):
        return None
    try:
        value = json.loads(bare, object_pairs_hook=unique_object)
    except DuplicateKey:
        raise
    except (ValueError, RecursionError):
        value = _parse_literal(bare)
    return value if isinstance(value, list | tuple | dict) else None


class DuplicateKey(ValueError):
    """A key occurs twice in an object."""

    def __init__(self, key: Any):
        super().__init__(f"the key {short(key)} stands twice in an object")
        self.key = key


def unique_object(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return an object of (key, value) pairs, or raise DuplicateKey."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise DuplicateKey(first_duplicate(key for key, _ in pairs))
    return value


def first_duplicate(names: Iterable[Any]) -> Any | None:
    """Return the first name that occurs more than once; None if all are different."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def in_brackets(bare: str) -> bool:
    """Whether a text without outer blanks is written like a list."""
    return (bare[:1] == "[" and bare[-1:] == "]") or (bare.startswith("array(") and bare[-1:] == ")")


def short(value: Any) -> str:
    """Return the beginning of a value's `repr`, for error messages."""
    shown = repr(value)
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 1] + "…"


def _parse_literal(text: str) -> Any:
    """Parse a literal of Python or numpy. Commas are inserted first: Python would join `'Ann' 'Lee'` into one string."""
    parts: list[str] = []
    before, position, truncated = "", 0, False
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:  # an unbalanced quotation mark
            return None
        token, position = match[0], match.end()
        if token == "...":
            truncated = True
        elif not token.isspace():
            is_call = token == "(" and (before.isidentifier() or before.startswith(("np.", "numpy.")))
            if before and before[-1] not in "[({,:=" and token[0] not in "])},:=" and not is_call:
                parts.append(",")
            if not (token == "," and before == ","):  # `1, ..., 9` without its dots
                parts.append(token)
            before = token
    try:
        tree = _NumpyCalls().visit(ast.parse("".join(parts), mode="eval"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                unique_object([(key.value, None) for key in node.keys if isinstance(key, ast.Constant)])
        value = ast.literal_eval(tree)
    except DuplicateKey:
        raise
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if truncated and value and isinstance(value, list | tuple | dict):
        raise ValueError(f"{short(text)} was cut short by ... when it was printed; write all of it, as JSON")
    return None if truncated else value


class _NumpyCalls(ast.NodeTransformer):
    """Replace `array([515], dtype=int32)` and `np.str_('Ann')` by their arguments, and names such as `nan` by their values."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        numpy = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("np", "numpy")
        array = isinstance(node.func, ast.Name) and node.func.id == "array"
        return self.visit(node.args[0]) if (array or numpy) and node.args else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(_NAMES[node.id]) if node.id in _NAMES else node
