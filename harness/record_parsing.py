"""Parse records and predictions, and check them, so that one damaged file cannot break a board.

msgspec parses and checks types in one step; see `harness.record_schema` for the keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from harness.files import replace_non_finite
from harness.record_schema import PredictionKeys, RecordKeys, SearchKeys

MOST_LISTED = 3  # damaged records named in a note
_ERROR = re.compile(r"(?s)(.*?)(?: - at `(.*)`)?")  # of msgspec: the message and the path
_MISSING = re.compile(r"Object missing required field `(.*)`")
_PREDICTION = msgspec.json.Decoder(PredictionKeys)


class DamagedRecord(ValueError):
    """A record that cannot be used. The message names the key and says what is wrong with it."""


def parse_record(content: bytes) -> dict[str, Any]:
    """Parse a record file with all its keys; numbers that are not finite become None.

    Raises:
        DamagedRecord: not JSON, or a key is missing or has the wrong type.
    """
    return _parse(content)[1]


def parse_known_keys(content: bytes) -> dict[str, Any]:
    """Parse a record file, but only the keys listed here, which takes half the time; raises like `parse_record`."""
    return _parse(content, all_keys=False)[0]


def _parse(content: bytes, all_keys: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the known keys of a record and, with `all_keys`, all of them."""
    try:
        known = msgspec.json.decode(content, type=RecordKeys)
        record = msgspec.json.decode(content) if all_keys else known
    except msgspec.ValidationError as error:
        raise DamagedRecord(error_message(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        record = _parse_leniently(content)
        try:
            known = msgspec.convert(record, RecordKeys)
        except msgspec.ValidationError as error:
            raise DamagedRecord(error_message(error)) from None
    check_consistency(known)
    if known.get("search"):
        check_winner(known["search"])
    return known, record


def parse_part(name: str, text: bytes, kind: Any) -> Any:
    """Parse one part of a record, such as `cost`: the keys that the type `kind` lists.

    Raises:
        DamagedRecord: the part does not fit the type; the message gives the key, beginning with `name`.
    """
    try:
        known = msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise DamagedRecord(error_message(error, name)) from None
    if name == "search" and known:
        check_winner(known)
    return known


def parse_predictions(content: bytes) -> list[Any]:
    """Parse the content of `predictions.jsonl`: one mapping for each line.

    Raises:
        DamagedRecord: a line cannot be read; the message gives its number.
    """
    predictions = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line:
            try:
                predictions.append(_PREDICTION.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise DamagedRecord(f"predictions.jsonl, line {number}: {error_message(error)}") from None
    return predictions


def check_consistency(record: Any) -> None:
    """Check keys that depend on each other, in a record whose types are right.

    Raises:
        DamagedRecord: they contradict each other.
    """
    if record["status"] == "failed":
        if not record.get("error"):
            raise DamagedRecord("status is failed, and error says nothing")
    elif record.get("purpose") is not None:
        if (record.get("trial") or {}).get("value") is None:
            raise DamagedRecord("trial.value is missing")
    else:
        for key in ("score", "primary_metric"):
            if key not in record:
                raise DamagedRecord(f"{key} is missing")
        if record["score"] is not None and not record["primary_metric"]:
            raise DamagedRecord("primary_metric is missing, and there is a score")


def check_winner(search: SearchKeys) -> None:
    """Raise `DamagedRecord` if the winner of a search is none of its trials."""
    winner, trials = search.get("winner"), search.get("trials") or []
    if winner is not None and not 0 <= winner < len(trials):
        raise DamagedRecord(f"search.winner is {winner}, of {len(trials)} trials")


def damage_note(damaged: Mapping[str, str]) -> str:
    """Return a sentence on the damaged records that were left out.

    Args:
        damaged: cell id → what is wrong with its record.
    """
    examples = "; ".join(f"{name} ({reason})" for name, reason in sorted(damaged.items())[:MOST_LISTED])
    more = f"; and {len(damaged) - MOST_LISTED:,} more" if len(damaged) > MOST_LISTED else ""
    what = "record is damaged and was" if len(damaged) == 1 else "records are damaged and were"
    return f"{len(damaged):,} {what} left out: {examples}{more}. Run these cells again."


def error_message(error: Exception, prefix: str = "") -> str:
    """Rewrite msgspec's message so that the key comes first: `cost.train_seconds: expected float | null, got str`."""
    text, path = _ERROR.fullmatch(str(error)).groups()  # type: ignore[union-attr]
    missing = _MISSING.fullmatch(text)
    parts = (prefix, (path or "").removeprefix("$").removeprefix("."), missing[1] if missing else "")
    key = ".".join(part for part in parts if part)
    text = "is missing" if missing else (text[:1].lower() + text[1:]).replace("`", "")
    return f"{key}{'' if missing else ':'} {text}" if key else text


def _parse_leniently(content: bytes) -> Any:
    """Parse JSON as Python writes it, with NaN and Infinity, which become None."""
    try:
        record = json.loads(content, parse_constant=lambda name: None)
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DamagedRecord("a text holds half a character (a lone surrogate)") from None
    except (ValueError, RecursionError):
        raise DamagedRecord("no JSON, or cut off") from None
    return replace_non_finite(record)
