"""The keys of a record and their types, for `harness.record_parsing`.

Only keys that other modules rely on are listed; a record may hold more.
"""

from __future__ import annotations

from typing import Any, Literal, Required, TypedDict

SCHEMA = 1
Plain = str | int | float | bool | None
Number = int | float | None
Numbers = dict[str, Number]


class ModelKeys(TypedDict, total=False):
    """`model`: the checkpoint that was trained."""

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
    """`task`: the data, and the number of rows read from each split."""

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
    """One entry of `fitted`: a recipe value that was derived from the data."""

    value: Required[Plain]
    why: str | None


class MetricsKeys(TypedDict, total=False):
    """`metrics`, each on its library's own scale."""

    validation: dict[str, Any] | None
    test: dict[str, Any] | None
    trivial: dict[str, Any] | None
    phenomena: dict[str, Numbers] | None
    slices: Slices | None


class AnswersKeys(TypedDict, total=False):
    """`answers`: how varied the predictions are, and how varied correct predictions would be."""

    distinct: int
    top_share: float
    expected_distinct: int
    expected_top_share: float


class ValidationKeys(TypedDict, total=False):
    """An entry of `training.history`: one validation."""

    step: Required[int]
    loss: Required[float | None]
    score: Required[float | None]


class TroubleKeys(TypedDict, total=False):
    """An entry of `training.trouble`: a sign that the training failed."""

    kind: Required[str]
    text: Required[str]
    cure: str
    failed: bool


class TrainingKeys(TypedDict, total=False):
    """`training`: how the training went."""

    steps: int | None
    best_step: int | None
    history: list[ValidationKeys] | None
    trouble: list[TroubleKeys] | None
    resumed: int | None
    retried: str | None
    batches: str | None
    notes: list[str] | None


class CostKeys(TypedDict, total=False):
    """`cost`: seconds, bytes, tokens, operations and numbers of parameters."""

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
    """`environment`: where the cell ran; empty for a cell that failed early."""

    python: str
    system: str
    device: str
    device_type: str
    threads: int | None
    precision: str | None
    libraries: dict[str, str | None]


class ErrorKeys(TypedDict, total=False):
    """`error` of a failed cell."""

    type: str | None
    message: str | None
    traceback: str | None
    stays: bool


class SearchTrialKeys(TypedDict, total=False):
    """An entry of `search.trials`."""

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
    """`search`: the search that chose the recipe."""

    specification: Required[SpecificationKeys]
    arguments: list[str] | None
    trials: list[SearchTrialKeys] | None
    seed: int
    winner: int | None
    seconds: Number


class TypedKeys(TypedDict, total=False):
    """`typed`: what the person typed to request this cell."""

    model: str
    task: str
    columns: list[str]
    settings: dict[str, str]
    limit: int


class TrialKeys(TypedDict, total=False):
    """`trial`: the result of a cell that is a trial of a search."""

    value: float | None
    pruned: bool | None


class HeadKeys(TypedDict, total=False):
    """The keys of a record that every reader needs; `RecordKeys` adds the rest."""

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
    """A whole record."""

    model: Required[ModelKeys]
    task: Required[TaskKeys]
    recipe: RecipeKeys | None
    environment: EnvironmentKeys | None
    metrics: MetricsKeys | None
    search: SearchKeys | None
    typed: TypedKeys | None


class PredictionKeys(TypedDict, total=False):
    """A line of `predictions.jsonl`: one test row."""

    id: Required[str]
    prediction: Required[Any]
    reference: Required[Any]
    phenomenon: str | None
    words: int | None
    slices: dict[str, str | list[str]] | None
