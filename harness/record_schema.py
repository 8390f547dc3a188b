"""The keys of a record and their types, checked when a record is read, so that one damaged file cannot break a board.

Only what other modules rely on is named here; a record may hold more. Checking and parsing are one step (msgspec).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, Required, TypedDict

import msgspec

from harness.files import replace_non_finite

SCHEMA = 1
MOST_LISTED = 3  # damaged records, in the note on them
Plain = str | int | float | bool | None
Number = int | float | None
Numbers = dict[str, Number]
_PLACE = re.compile(r"(?s)(.*?)(?: - at `(.*)`)?")
_LACKING = re.compile(r"Object missing required field `(.*)`")


class DamagedRecord(ValueError):
    """A record that cannot be used; the message names the key and what is wrong with it."""


class ModelKeys(TypedDict, total=False):
    """`model`: what was trained."""

    name: Required[str]
    source: str | None
    revision: str | None
    architecture: str | None
    digest: str | None
    gguf: str | None
    parameters: int | None
    remote_code: bool | None
    keep_head: bool | None


class TaskKeys(TypedDict, total=False):
    """`task`: the data, and how many rows of each split were read."""

    name: Required[str]
    family: Required[str]
    version: int
    source: str | None
    revision: str | None
    fingerprint: str | None
    family_version: int | None
    columns: dict[str, Any] | None
    labels: dict[str, str] | list[str] | None
    options: dict[str, Any] | None
    limit: int | None
    split_rule: str | None
    rows: dict[str, int] | None
    rows_without_limit: dict[str, int] | None
    truncated: dict[str, int] | None
    warnings: list[str] | None
    train_rows: int | None
    train_rows_available: int | None


RecipeKeys = dict[str, Plain]
Slices = dict[str, dict[str, Numbers]]


class FittedKeys(TypedDict, total=False):
    """One field of `fitted`: a value that followed from the data."""

    value: Required[Plain]
    why: str | None


class MetricsKeys(TypedDict, total=False):
    """`metrics`, each in its library's own scale."""

    validation: dict[str, Any] | None
    test: dict[str, Any] | None
    trivial: dict[str, Any] | None
    phenomena: dict[str, Numbers] | None
    slices: Slices | None


class AnswersKeys(TypedDict, total=False):
    """`answers`: how often one and the same prediction is given, and how often it would be right."""

    distinct: int
    top_share: float
    expected_distinct: int
    expected_top_share: float


class ValidationKeys(TypedDict, total=False):
    """A line of `training.history`."""

    step: Required[int]
    loss: Required[float | None]
    score: Required[float | None]


class TroubleKeys(TypedDict, total=False):
    """A line of `training.trouble`."""

    kind: Required[str]
    text: Required[str]
    cure: str
    failed: bool


class TrainingKeys(TypedDict, total=False):
    """`training`: how it went."""

    steps: int | None
    best_step: int | None
    history: list[ValidationKeys] | None
    trouble: list[TroubleKeys] | None
    resumed: int | None
    retried: str | None
    batches: str | None
    notes: list[str] | None


class CostKeys(TypedDict, total=False):
    """`cost`: seconds, bytes, tokens and numbers of parameters."""

    train_seconds: Number
    evaluate_seconds: Number
    total_seconds: Number
    search_seconds: Number
    phases: Numbers | None
    processor_seconds: Number
    peak_memory_bytes: Number
    train_tokens: Number
    padding_share: Number
    trainable_parameters: int | None
    tokens_per_second: Number
    evaluate_tokens: Number
    evaluate_tokens_per_second: Number
    flops: Number
    flops_per_second: Number
    peak_flops_per_second: Number
    utilisation: Number


class EnvironmentKeys(TypedDict, total=False):
    """`environment`: where it ran; empty for a cell that failed early."""

    python: str
    system: str
    device: str
    device_type: str
    threads: int | None
    precision: str | None
    libraries: dict[str, str | None]


class ErrorKeys(TypedDict, total=False):
    """`error` of a cell that failed."""

    type: str | None
    message: str | None
    traceback: str | None
    stays: bool


class SearchTrialKeys(TypedDict, total=False):
    """A line of `search.trials`."""

    id: Required[str]
    status: Required[str]
    recipe: Required[RecipeKeys]
    validation: Required[float | None]
    seconds: Number
    budget: float
    error: str


class SpecificationKeys(TypedDict, total=False):
    """`search.specification`."""

    fields: Required[dict[str, Any]]


class SearchKeys(TypedDict, total=False):
    """`search`: how the recipe was found."""

    specification: Required[SpecificationKeys]
    arguments: list[str] | None
    trials: list[SearchTrialKeys] | None
    seed: int
    winner: int | None
    seconds: Number


class TypedKeys(TypedDict, total=False):
    """`typed`: what a person wrote to have this cell run."""

    model: str
    task: str
    columns: list[str]
    settings: dict[str, str]
    limit: int


class TrialKeys(TypedDict, total=False):
    """`trial` of a cell that a search has tried."""

    value: float | None
    pruned: bool | None


class HeadKeys(TypedDict, total=False):
    """What a record says of itself before anything else."""

    schema: Required[Literal[1]]
    id: Required[str]
    status: Required[Literal["ok", "failed"]]
    method: Required[str]
    seed: Required[int]
    suite: str | None
    suite_file: str | None
    suite_defaults: Any
    protocol: int | None
    purpose: str | None
    trial: TrialKeys | None
    primary_metric: str | None
    score: float | None
    trivial_score: float | None
    constant: bool | None
    answers: AnswersKeys | None
    training: TrainingKeys | None
    cost: CostKeys | None
    fitted: dict[str, FittedKeys] | None
    started: str | None
    finished: str | None
    error: ErrorKeys | None


class RecordKeys(HeadKeys, total=False):
    """A record."""

    model: Required[ModelKeys]
    task: Required[TaskKeys]
    recipe: RecipeKeys | None
    environment: EnvironmentKeys | None
    metrics: MetricsKeys | None
    search: SearchKeys | None
    typed: TypedKeys | None


class PredictionKeys(TypedDict, total=False):
    """A line of `predictions.jsonl`: a test row."""

    id: Required[str]
    prediction: Required[Any]
    reference: Required[Any]
    phenomenon: str | None
    words: int | None
    slices: dict[str, str | list[str]] | None


_LINE = msgspec.json.Decoder(PredictionKeys)


def parse_record(content: bytes) -> dict[str, Any]:
    """A record from a file's content, with all its keys; numbers that are not finite become None.

    Raises:
        Damaged: it is no JSON, or a key is missing or of another type.
    """
    return _read(content)[1]


def parse_known_keys(content: bytes) -> dict[str, Any]:
    """The same with the keys that are named here alone, which takes half the time."""
    return _read(content, whole=False)[0]


def _read(content: bytes, whole: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        known = msgspec.json.decode(content, type=RecordKeys)
        record = msgspec.json.decode(content) if whole else known
    except msgspec.ValidationError as error:
        raise DamagedRecord(error_message(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        record = _lenient(content)
        try:
            known = msgspec.convert(record, RecordKeys)
        except msgspec.ValidationError as error:
            raise DamagedRecord(error_message(error)) from None
    check_consistency(known)
    if known.get("search"):
        check_winner(known["search"])
    return known, record


def parse_part(name: str, text: bytes, kind: Any) -> Any:
    """A part of a record by itself: the keys that are named here.

    Raises:
        Damaged: it is not of this kind; the message names the key with `name` in front.
    """
    try:
        known = msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise DamagedRecord(error_message(error, name)) from None
    if name == "search" and known:
        check_winner(known)
    return known


def parse_predictions(content: bytes) -> list[Any]:
    """The predictions in a file's content, one mapping for each line.

    Raises:
        Damaged: a line cannot be read; the message says which.
    """
    lines = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line:
            try:
                lines.append(_LINE.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise DamagedRecord(f"predictions.jsonl, line {number}: {error_message(error)}") from None
    return lines


def check_consistency(record: Any) -> None:
    """Keys that belong together; those of a record whose types are right.

    Raises:
        Damaged: they contradict each other.
    """
    if record["status"] == "failed" and not record.get("error"):
        raise DamagedRecord("status is failed, and error says nothing")
    if record["status"] == "ok" and record.get("purpose") is None:
        for key in ("score", "primary_metric"):
            if key not in record:
                raise DamagedRecord(f"{key} is missing")
        if record["score"] is not None and not record["primary_metric"]:
            raise DamagedRecord("primary_metric is missing, and there is a score")
    if (
        record["status"] == "ok"
        and record.get("purpose") is not None
        and (record.get("trial") or {}).get("value") is None
    ):
        raise DamagedRecord("trial.value is missing")


def check_winner(search: SearchKeys) -> None:
    """Raises:
    Damaged: the winner of a search is none of its trials.
    """
    winner, trials = search.get("winner"), search.get("trials") or []
    if winner is not None and not 0 <= winner < len(trials):
        raise DamagedRecord(f"search.winner is {winner}, of {len(trials)} trials")


def damage_note(damaged: Mapping[str, str]) -> str:
    """A sentence on records that were left out.

    Args:
        damaged: id of each cell → what is wrong with its record.
    """
    named = "; ".join(f"{name} ({why})" for name, why in sorted(damaged.items())[:MOST_LISTED])
    more = f"; and {len(damaged) - MOST_LISTED:,} more" if len(damaged) > MOST_LISTED else ""
    what = "record is damaged and was" if len(damaged) == 1 else "records are damaged and were"
    return f"{len(damaged):,} {what} left out: {named}{more}. Run these cells again."


def error_message(error: Exception, inside: str = "") -> str:
    """msgspec's message with the key in front: `cost.train_seconds: expected float | null, got str`."""
    what, at = _PLACE.fullmatch(str(error)).groups()  # type: ignore[union-attr]
    lacking = _LACKING.fullmatch(what)
    parts = (inside, (at or "").removeprefix("$").removeprefix("."), lacking[1] if lacking else "")
    key = ".".join(part for part in parts if part)
    told = "is missing" if lacking else what[:1].lower() + what[1:]
    told = told.replace("`", "")
    return f"{key}{'' if lacking else ':'} {told}" if key else told


def _lenient(content: bytes) -> Any:
    """JSON as Python writes it, which knows NaN and Infinity: records hold null in their place."""
    try:
        record = json.loads(content, parse_constant=lambda name: None)
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DamagedRecord("a text holds half a character (a lone surrogate)") from None
    except (ValueError, RecursionError):
        raise DamagedRecord("no JSON, or cut off") from None
    return replace_non_finite(record)
