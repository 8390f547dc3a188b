"""The types of a family's columns, and the conversion of a data set's values to these types.

Every value of a declared column is converted here before a family sees it. Conversions are counted; a value that does not fit
the column's type is an error that names its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from harness.data.printed import in_brackets, printed, short
from harness.data.scalars import Notes, is_missing, replace_surrogates, scalar

TEXT = "text"  # str; a missing value is empty
LABEL = "label"  # str without outer blanks; a missing value is empty, which `Task.label_name` refuses
WORDS = "words"  # list of str
TAGS = "tags"  # list of str without outer blanks
TEXTS = "texts"  # one text or several: list of str
NESTED = "nested"  # lists and objects as they are; strings in them are decoded, surrogates replaced

OPENING = ("[", "{", "(", "a")  # first characters of a printed list or object; `a` is for numpy's `array(`


def text(value: Any, notes: Notes) -> str:
    """Return a value as text, empty if it is missing; raise ValueError for a list or an object."""
    if isinstance(value, str):
        return replace_surrogates(value, notes)
    if (items := list_items(value)) is not None or isinstance(value, Mapping):
        kind = f"an object with {_summary(value)}" if items is None else "a list"
        raise ValueError(f"{kind}, not a text; name the column of the text")
    return scalar(value, notes) or ""


def label(value: Any, notes: Notes, printed_lists: bool = False) -> str:
    """Return a label without outer blanks; empty if it is missing. A list of one label gives that label.

    Args:
        printed_lists: Whether most values of the column are in square brackets. Then an unreadable list is an error.

    Raises:
        ValueError: The value is several labels, an object, or not a label.
    """
    items = list_items(value)
    if items is None:
        if isinstance(value, Mapping):
            raise ValueError(
                f"an object with {_summary(value)}; take one of its fields by its path, "
                f"such as `COLUMN.{_summary(list(value)[:1]) or 'name'}`"
            )
        raw = scalar(value, notes) or ""
        bare = raw.strip()
        notes["trimmed_labels"] += bare != raw
        if bare[:1] not in OPENING:
            return bare
        parsed = printed(bare)
        if isinstance(parsed, Mapping):
            return label(parsed, notes)
        if parsed is None:
            if printed_lists and "," in bare:
                raise _unreadable_list(bare)
            return bare
        notes["printed"] += 1
        items = parsed
    if not items:
        return ""
    if len(items) > 1:
        raise ValueError(f"a row has several labels ({_summary(items)}); bench classifies into one")
    notes["single_lists"] += 1
    return label(items[0], notes)


def words(value: Any, notes: Notes, printed_lists: bool = False) -> list[str]:
    """Return a list of strings. A text is split at blanks, unless it is a list printed by JSON, Python or numpy.

    Args:
        printed_lists: Whether most values of the column are in square brackets. Then no text is split at blanks.

    Raises:
        ValueError: The value is not a list, cannot be read as one, or has a missing item.
    """
    items = list_items(value)
    if items is None:
        if isinstance(value, Mapping) or (raw := scalar(value, notes)) is None:
            raise ValueError(f"{short(value)}, not a list; check the columns")
        items = _parse_list(raw, printed_lists)
        if items is None:
            return raw.split()
        notes["printed"] += 1
    if is_plain(items):
        return list(items)
    strings = [scalar(item, notes) for item in items]
    if None in strings:
        raise ValueError(f"item {strings.index(None) + 1} of {len(strings)} is missing; give it a value")
    return strings


def tags(value: Any, notes: Notes, printed_lists: bool = False) -> list[str]:
    """Return a list of strings as `words` does, without outer blanks."""
    return [tag.strip() for tag in words(value, notes, printed_lists)]


def texts(value: Any, notes: Notes, printed_lists: bool = False) -> list[str]:
    """Return one text or several as a list.

    Args:
        printed_lists: Whether most values of the column are in square brackets. Then a printed list is read as a list.

    Raises:
        ValueError: The value is neither a text nor a list of texts, or is an empty list.
    """
    items = list_items(value)
    if items is None:
        string = text(value, notes)
        items = _parse_list(string, printed_lists) if printed_lists else None
        if items is None:
            return [string]
        notes["printed"] += 1
    present = [item for item in items if not is_missing(item)]
    notes["missing_texts"] += len(items) - len(present)
    if not present:
        raise ValueError("an empty list; give a text, or drop the row")
    return [text(item, notes) for item in present]


def nested(value: Any, notes: Notes) -> Any:
    """Decode the strings in a value of any shape, replace surrogates, and parse a printed object or list."""
    if isinstance(value, bytes | bytearray | memoryview):
        value = scalar(value, notes)
    if isinstance(value, str) and value.strip()[:1] in ("{", "[") and (parsed := printed(value)) is not None:
        notes["printed"] += 1
        value = parsed
    return _map_leaves(value, lambda leaf: scalar(leaf, notes) if isinstance(leaf, str | bytes) else leaf)


def whole_characters(value: Any, notes: Notes) -> Any:
    """Replace surrogates in a value of any shape, for columns whose type no family declares."""
    if isinstance(value, str):
        return replace_surrogates(value, notes)
    if isinstance(value, list | tuple | Mapping):
        return _map_leaves(value, lambda leaf: replace_surrogates(leaf, notes) if isinstance(leaf, str) else leaf)
    return value


def converter(kind: str, values: Sequence[Any], notes: Notes) -> Callable[[Any], Any] | None:
    """Return the function that converts a column's values to its type, or None if they all have that type already.

    Args:
        kind: The column's type, one of the constants above.
        values: All values of the column. They show whether values in brackets are printed lists.
        notes: Counts the conversions when the function is called.
    """
    if kind == TEXT:
        return None if is_plain(values) else lambda value: text(value, notes)
    if kind == NESTED:
        return None if all(map(_is_plain_object, values)) else lambda value: nested(value, notes)
    convert = {LABEL: label, WORDS: words, TAGS: tags, TEXTS: texts}[kind]
    if kind == LABEL and is_plain(values):
        values = list(dict.fromkeys(values))  # a column of labels has few distinct values
        if not any(value != value.strip() or value[:1] in OPENING for value in values):
            return None
    printed_lists = _mostly_in_brackets(values)
    if kind == TEXTS and printed_lists:  # whole sentences may be in brackets too
        printed_lists = any(_is_list_of_texts(value) for value in values)
    return lambda value: convert(value, notes, printed_lists)


def is_plain(values: Sequence[Any]) -> bool:
    """Whether all values are strings without halves of surrogate pairs."""
    try:
        joined = "".join(values)
        return joined.isascii() or joined.encode("utf-8") is not None
    except (TypeError, UnicodeEncodeError):
        return False


def list_items(value: Any) -> list[Any] | None:
    """Return the items of a list, tuple, set or numpy array; None for any other value."""
    if isinstance(value, str | bytes | bytearray | memoryview | Mapping):
        return None
    if isinstance(value, Sequence | Set):
        return list(value)
    return value.tolist() if hasattr(value, "tolist") and getattr(value, "shape", ()) != () else None


def _is_plain_object(value: Any) -> bool:
    """Whether a value is a dict of lists, each of whole numbers or of strings without halves of surrogate pairs."""
    return type(value) is dict and all(
        type(item) is list and (is_plain(item) or set(map(type, item)) <= {int}) for item in value.values()
    )


def _parse_list(text: str, expected: bool) -> list[Any] | None:
    """Return the items of a printed list; None if the text is not one.

    Args:
        expected: Whether the column holds printed lists. If not, only a list of quoted strings counts as one.
    """
    bare = text.strip()
    if in_brackets(bare) or (expected and bare.startswith("(")):
        items = printed(bare)
        if isinstance(items, list | tuple):
            return list(items) if expected or _all_strings(items) else None
    elif not bare:
        return [] if expected else None
    if expected:
        raise _unreadable_list(bare)
    return None


def _unreadable_list(text: str) -> ValueError:
    return ValueError(
        f"{short(text)}: most values of the column are printed lists, but JSON, Python and numpy write none like this; "
        'write it as JSON, such as ["a", "b"]'
    )


def _mostly_in_brackets(values: Iterable[Any]) -> bool:
    stripped = [bare for value in values if isinstance(value, str) and (bare := value.strip())]
    return sum(map(in_brackets, stripped)) * 2 > len(stripped)


def _is_list_of_texts(value: Any) -> bool:
    try:
        items = printed(value) if isinstance(value, str) else None
    except ValueError:  # a list that was cut short
        return True
    return isinstance(items, list) and _all_strings(items)


def _all_strings(items: Sequence[Any]) -> bool:
    return bool(items) and all(isinstance(item, str) for item in items)


def _map_leaves(value: Any, convert: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {convert(name): _map_leaves(item, convert) for name, item in value.items()}
    items = list_items(value)
    return convert(value) if items is None else [_map_leaves(item, convert) for item in items]


def _summary(values: Iterable[Any], most: int = 3) -> str:
    """Return the first few values on one line."""
    lines = [" ".join(value.split()) if isinstance(value, str) else short(value) for value in values]
    return ", ".join(line[:40] for line in lines[:most]) + (", …" if len(lines) > most else "")
