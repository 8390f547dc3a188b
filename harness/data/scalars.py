"""Convert single values of a data set to text, whole numbers and booleans.

Files hold strings; Parquet, JSON and spreadsheets also hold bytes, booleans, floats and several marks for a missing value.
"""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from decimal import Decimal
from typing import Any

from harness.data.printed import SHOWN, short

Notes = Counter  # conversion → number of values; `harness.check.reading.READER_WARNINGS` describes the keys

MISSING_TYPES = ("NAType", "NaTType")  # pandas types, recognised by name so that pandas is not imported
TRUE = frozenset(("true", "t", "yes", "y", "1", "1.0"))
FALSE = frozenset(("false", "f", "no", "n", "0", "0.0", ""))
MAX_DIGITS = 30  # longer decimal numbers are written with an exponent
MAX_WHOLE = 1e15  # floats below it represent whole numbers exactly


def scalar(value: Any, notes: Notes) -> str | None:
    """Return a single value as text, or None if it is missing (None, NaN, NaT, pandas' NA).

    Strings are returned unchanged, except that halves of surrogate pairs become U+FFFD. Bytes are decoded as UTF-8. Booleans
    become `true` and `false`. Equal numbers give equal texts, whatever their type: 1, 1.0 and Decimal("1.00") give `1`.

    Raises:
        ValueError: The value is infinite, is bytes that are not UTF-8, or is a list, an object, a date or of another type.
    """
    if isinstance(value, str):
        return replace_surrogates(value, notes)
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
        return None if value.is_nan() else _decimal_text(value)
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        if getattr(value.dtype, "kind", "") == "f" and value == value:
            # str() of a narrow float is short, unlike str() of the Python float that item() would give.
            return _float_text(float(value), str(value))
        return scalar(value.item(), notes)
    if isinstance(value, float):
        return None if math.isnan(value) else _float_text(value, _shortest(value))
    raise ValueError(f"a {type(value).__name__}, {short(value)}; neither a text nor a number")


def at_a_glance(value: Any) -> str:
    """Return any value as text without raising an error, to guess what a column holds."""
    try:
        return scalar(value, Notes()) or ""
    except ValueError:
        return str(value)


def is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in MISSING_TYPES or (isinstance(value, float) and math.isnan(value))


def whole_number(value: Any) -> int:
    """Convert a value to int, or raise ValueError. `"287.0"` is accepted: data frames write so if the column has gaps."""
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is not a whole number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{short(value)} is not a whole number") from None
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"{short(value)} is not a whole number")
    return int(number)


def boolean(value: Any, notes: Notes) -> bool:
    """Convert true, yes, 1 or false, no, 0 in any case to bool, or raise ValueError; a missing value is False."""
    if isinstance(value, bool):
        return value
    try:
        word = (scalar(value, Notes()) or "").strip().lower()
    except ValueError:
        word = None
    if word not in TRUE | FALSE:
        raise ValueError(f"{short(value)} is not a truth value; write true or false")
    notes["truth_values"] += 1
    return word in TRUE


def same_label(name: str) -> str:
    """Return the spelling that a label shares with its variants: 1.0 gives 1, True gives true. Others are unchanged."""
    lower = name.lower()
    if lower in ("true", "false"):
        return lower
    match = re.fullmatch(r"([+-]?)(\d+)\.0*", name)
    return name if match is None else ("-" if match[1] == "-" else "") + match[2]


def same_number(name: str) -> str:
    """Return the spelling that a label shares with numerically equal ones: 0.50 gives 0.5, 01 gives 1."""
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{0,15})?", name, re.ASCII):
        return same_label(name)
    return _decimal_text(Decimal(name))


def replace_surrogates(text: str, notes: Notes) -> str:
    """Replace each half of a surrogate pair by U+FFFD, one character by one, so that offsets stay correct."""
    if text.isascii():
        return text if type(text) is str else str(text)
    try:
        text.encode("utf-8")
        return str(text)
    except UnicodeEncodeError:
        notes["surrogates"] += 1
        return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _float_text(value: float, digits: str) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < MAX_WHOLE else _decimal_text(Decimal(digits))


def _shortest(value: float) -> str:
    """Return the shortest text of a float; 0.1 stored in 32 bits gives 0.1, not the digits of its 64-bit value."""
    try:
        if struct.unpack("f", struct.pack("f", value))[0] == value:
            for digits in range(6, 10):
                text = f"{value:.{digits}g}"
                if struct.unpack("f", struct.pack("f", float(text)))[0] == value:
                    return text
    except OverflowError:  # outside the range of 32-bit floats
        pass
    return repr(value)


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        sign = "-" if value < 0 else ""
        raise ValueError(f"the number {sign}Infinity, which is neither a text nor a class; give it a value, or null for none")
    if value and abs(value.adjusted()) > MAX_DIGITS:
        return str(value)
    return str(int(value)) if value == value.to_integral_value() else format(value.normalize(), "f")
