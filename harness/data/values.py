"""The types of a family's columns, and the one place where the values of a data set become these types.

Files hold strings, and Parquet, JSON and spreadsheets hold much else: bytes, booleans, floats, lists, the marks that stand for
nothing. Every value of a declared column passes here before a family sees it. What was changed is counted, what cannot be of the
column's type is an error of its row.
"""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

from harness.data.printed import in_brackets, printed, short

TEXT = "text"  # str; a missing one is empty
LABEL = "label"  # str without outer blanks; a missing one is empty, which `Task.label_name` refuses
WORDS = "words"  # list of str
TAGS = "tags"  # list of str without outer blanks
TEXTS = "texts"  # a text or several: list of str
NESTED = "nested"  # lists and objects as they are, all strings in them decoded and made whole

Notes = Counter  # what was converted → how many values; keys as in `harness.check.reading.READER_WARNINGS`

MISSING_TYPES = ("NAType", "NaTType")  # of pandas, which is not imported for it
TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
FALSE = frozenset(("false", "f", "no", "n", "0", "0.0", ""))
OPENING = ("[", "{", "(", "a")  # how a printed list or object begins; `a` of numpy's `array(`
SHOWN = 40  # characters of a label in an error
MOST_DIGITS = 30  # of a decimal number that is written out


def scalar(value: Any, notes: Notes) -> str | None:
    """The one text of a single value, or None for a missing one (None, NaN, NaT, pandas' NA).

    Strings stay as they are, but for halves of surrogate pairs, which become U+FFFD. Bytes are read as UTF-8. Truth values are
    `true` and `false`. Numbers that are equal have one text, whatever their type: 1, 1.0 and Decimal("1.00") are `1`.

    Raises:
        ValueError: bytes that are not UTF-8, lists, objects, dates and all else.
    """
    if isinstance(value, str):
        return _whole_characters(value, notes)
    if value is None or type(value).__name__ in MISSING_TYPES:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            text = bytes(value).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"bytes that are not UTF-8 ({bytes(value)[:SHOWN]!r}, byte {error.start}); write the column as text"
            ) from None
        notes["decoded"] += 1
        return text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal):
        return None if value.is_nan() else _decimal(value)
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        kind = getattr(value.dtype, "kind", "")
        if kind == "f" and value == value:
            if float(value).is_integer() and abs(float(value)) < 1e15:
                return str(int(value))
            return _decimal(Decimal(str(value)))  # a narrow float has a short text, as a Python float it would not
        return scalar(value.item(), notes)
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else _decimal(Decimal(_shortest(value)))
    raise ValueError(f"a {type(value).__name__}, {short(value)}; neither a text nor a number")


def at_a_glance(value: Any) -> str:
    """The text of any value, for a look at what a column may be; never an error."""
    try:
        return scalar(value, Notes()) or ""
    except ValueError:
        return str(value)


def text(value: Any, notes: Notes) -> str:
    """A text; empty where it is missing.

    Raises:
        ValueError: it is a list, an object or anything else that is no text.
    """
    if isinstance(value, str):
        return _whole_characters(value, notes)
    if (items := _listed(value)) is not None or isinstance(value, Mapping):
        kind = f"an object with {_listing(value)}" if items is None else "a list"
        raise ValueError(f"{kind}, not a text; name the column of the text")
    return scalar(value, notes) or ""


def label(value: Any, notes: Notes, printed_lists: bool = False) -> str:
    """A label without outer blanks; empty where it is missing. A list of one label is that label.

    Args:
        printed_lists: whether most values of the column stand in square brackets, so that one that is no readable list is refused.

    Raises:
        ValueError: several labels, an object, or a value that is no label.
    """
    items = _listed(value)
    if items is None:
        if isinstance(value, Mapping):
            raise ValueError(
                f"an object with {_listing(value)}; take one of its fields by its path, "
                f"such as `COLUMN.{_listing(list(value)[:1]) or 'name'}`"
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
                raise _unreadable(bare)
            return bare
        notes["printed"] += 1
        items = parsed
    if not items:
        return ""
    if len(items) > 1:
        raise ValueError(f"a row has several labels ({_listing(items)}); bench classifies into one")
    notes["single_lists"] += 1
    return label(items[0], notes)


def words(value: Any, notes: Notes, printed_lists: bool = False) -> list[str]:
    """A list of strings. A text is cut at its blanks, unless it is a list as JSON, Python or numpy prints it.

    Args:
        printed_lists: whether most values of the column stand in square brackets; then none is cut at blanks.

    Raises:
        ValueError: no list, a list that cannot be read, or one with a missing item.
    """
    items = _listed(value)
    if items is None:
        if isinstance(value, Mapping) or (raw := scalar(value, notes)) is None:
            raise ValueError(f"{short(value)}, not a list; check the columns")
        items = _printed_list(raw, printed_lists)
        if items is None:
            return raw.split()
        notes["printed"] += 1
    if is_plain(items):
        return list(items)
    found = [scalar(item, notes) for item in items]
    if None in found:
        raise ValueError(f"item {found.index(None) + 1} of {len(found)} is missing; give it a value")
    return found


def tags(value: Any, notes: Notes, printed_lists: bool = False) -> list[str]:
    """As `words`, without outer blanks."""
    return [tag.strip() for tag in words(value, notes, printed_lists)]


def texts(value: Any, notes: Notes, printed_lists: bool = False) -> list[str]:
    """A text or several as a list. A printed list of strings is a list where most values of the column are.

    Raises:
        ValueError: it is neither, or an empty list.
    """
    items = _listed(value)
    if items is None:
        one = text(value, notes)
        items = _printed_list(one, printed_lists) if printed_lists else None
        if items is None:
            return [one]
        notes["printed"] += 1
    there = [item for item in items if not _is_missing(item)]
    notes["missing_texts"] += len(items) - len(there)
    if not there:
        raise ValueError("an empty list; give a text, or drop the row")
    return [text(item, notes) for item in there]


def nested(value: Any, notes: Notes) -> Any:
    """A value of any shape with its strings decoded and made whole; a printed object or list is read."""
    if isinstance(value, bytes | bytearray | memoryview):
        value = scalar(value, notes)
    if isinstance(value, str) and value.strip()[:1] in ("{", "[") and (parsed := printed(value)) is not None:
        notes["printed"] += 1
        value = parsed
    return _mapped(value, lambda one: scalar(one, notes) if isinstance(one, str | bytes) else one)


def whole_characters(value: Any, notes: Notes) -> Any:
    """A value of any shape and type as it is, without halves of surrogate pairs: for columns that no family has declared."""
    if isinstance(value, str):
        return _whole_characters(value, notes)
    if isinstance(value, list | tuple | Mapping):
        return _mapped(value, lambda one: _whole_characters(one, notes) if isinstance(one, str) else one)
    return value


def converter(kind: str, values: Sequence[Any], notes: Notes) -> Callable[[Any], Any] | None:
    """The function that brings a column's values to their type; None where all of them are of that type already.

    Args:
        kind: the column's type, one of the constants above.
        values: all values of the column: whether brackets are a list that was printed shows in most of them.
        notes: is filled as the function is called.
    """
    if kind == TEXT:
        return None if is_plain(values) else lambda value: text(value, notes)
    if kind == NESTED:
        return None if all(map(_is_plain_object, values)) else lambda value: nested(value, notes)
    convert = {LABEL: label, WORDS: words, TAGS: tags, TEXTS: texts}[kind]
    if kind == LABEL and is_plain(values):
        values = list(dict.fromkeys(values))  # few, and they come again and again
        if not any(value != value.strip() or value[:1] in OPENING for value in values):
            return None
    lists = _mostly_in_brackets(values)
    if kind == TEXTS and lists:  # whole sentences may stand in brackets as well
        lists = any(_is_printed_texts(value) for value in values)
    return lambda value: convert(value, notes, lists)


def is_plain(values: Sequence[Any]) -> bool:
    """Whether all values are strings, none with half of a surrogate pair."""
    try:
        joined = "".join(values)
        return joined.isascii() or joined.encode("utf-8") is not None
    except (TypeError, UnicodeEncodeError):
        return False


def _is_plain_object(value: Any) -> bool:
    """Whether it is an object of lists, each of whole numbers or of strings without halves of surrogate pairs."""
    return type(value) is dict and all(
        type(item) is list and (is_plain(item) or set(map(type, item)) <= {int}) for item in value.values()
    )


def whole_number(value: Any) -> int:
    """A whole number; `"287.0"`, as data frames write a column with gaps, is one.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is no whole number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{short(value)} is no whole number") from None
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"{short(value)} is no whole number")
    return int(number)


def boolean(value: Any, notes: Notes) -> bool:
    """A truth value, also as text or number: true, yes, 1 and false, no, 0, in any case; a missing one is false.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool):
        return value
    try:
        word = (scalar(value, Notes()) or "").strip().lower()
    except ValueError:
        word = None
    if word not in TRUE | FALSE:
        raise ValueError(f"{short(value)} is no truth value; write true or false")
    notes["truth_values"] += 1
    return word in TRUE


def same_label(name: str) -> str:
    """What labels that differ in spelling alone have in common: 1.0 is 1, True is true. Any other label is itself."""
    lower = name.lower()
    if lower in ("true", "false"):
        return lower
    bare = re.fullmatch(r"([+-]?)(\d+)\.0*", name)
    return name if bare is None else ("-" if bare[1] == "-" else "") + bare[2]


def same_number(name: str) -> str:
    """What labels that are equal as numbers have in common: 0.50 is 0.5 and 01 is 1. Any other label is itself."""
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{0,15})?", name, re.ASCII):
        return same_label(name)
    return _decimal(Decimal(name))


def _printed_list(text: str, expected: bool) -> list[Any] | None:
    """The items of a printed list; None for a text that is none.

    Args:
        expected: whether the column holds printed lists; else only one that is sure to be a list counts, strings in quotes.
    """
    bare = text.strip()
    if not in_brackets(bare) and not (expected and bare.startswith("(")):
        if expected and bare:
            raise _unreadable(bare)
        return [] if expected else None
    found = printed(bare)
    if isinstance(found, list | tuple):
        if expected or (found and all(isinstance(one, str) for one in found)):
            return list(found)
        return None
    if expected:
        raise _unreadable(bare)
    return None


def _unreadable(text: str) -> ValueError:
    return ValueError(
        f"{short(text)}: most values of the column are printed lists, but this is none that JSON, Python or numpy writes; "
        'write it as JSON, such as ["a", "b"]'
    )


def _mostly_in_brackets(values: Iterable[Any]) -> bool:
    there = inside = 0
    for value in values:
        if isinstance(value, str) and (bare := value.strip()):
            there += 1
            inside += in_brackets(bare)
    return inside * 2 > there


def _is_printed_texts(value: Any) -> bool:
    try:
        found = printed(value) if isinstance(value, str) else None
    except ValueError:  # a list that was cut short
        return True
    return isinstance(found, list) and bool(found) and all(isinstance(one, str) for one in found)


def _listed(value: Any) -> list[Any] | None:
    """The items of a list, tuple, set or array; None for all else."""
    if isinstance(value, str | bytes | bytearray | memoryview | Mapping):
        return None
    if isinstance(value, Sequence | Set):
        return list(value)
    return value.tolist() if hasattr(value, "tolist") and getattr(value, "shape", ()) != () else None


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {change(name): _mapped(item, change) for name, item in value.items()}
    items = _listed(value)
    return change(value) if items is None else [_mapped(item, change) for item in items]


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in MISSING_TYPES or (isinstance(value, float) and math.isnan(value))


def _whole_characters(text: str, notes: Notes) -> str:
    """The text with U+FFFD in place of each half of a surrogate pair: one character for one, so that offsets stay right."""
    if text.isascii():
        return text if type(text) is str else str(text)
    try:
        text.encode("utf-8")
        return str(text)
    except UnicodeEncodeError:
        notes["surrogates"] += 1
        return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _shortest(value: float) -> str:
    """The shortest text of a number: of a narrow float where it was one, which 0.1 is not otherwise."""
    try:
        if struct.unpack("f", struct.pack("f", value))[0] == value:
            for digits in range(6, 10):
                short = f"{value:.{digits}g}"
                if struct.unpack("f", struct.pack("f", float(short)))[0] == value:
                    return short
    except OverflowError:  # beyond narrow floats
        pass
    return repr(value)


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(
            f"the number {'-' if value < 0 else ''}Infinity, which is neither a text nor a class; give it a value, or null for none"
        )
    if value and abs(value.adjusted()) > MOST_DIGITS:
        return str(value)
    return str(int(value)) if value == value.to_integral_value() else format(value.normalize(), "f")


def _listing(values: Iterable[Any], most: int = 3) -> str:
    """The first few values on one line."""
    lines = [" ".join(value.split()) if isinstance(value, str) else short(value) for value in values]
    return ", ".join(line[:SHOWN] for line in lines[:most]) + (", …" if len(lines) > most else "")
