"""The recipe: the hyper-parameters of one training."""

from __future__ import annotations

import math
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from harness.errors import BenchError, unknown

AUTO = "auto"
PRECISIONS = (AUTO, "fp32", "bf16")
LORA_TARGETS = ("usual", "all")
CONDITIONS = ("family", "task", "model", "architecture", "kind", "method")  # facts that a rule may depend on
# Fields that may be `auto`: their values follow from the training rows, see `harness.recipe_rules`.
AUTO_FIELDS = (
    "batch_size", "epochs", "evaluations", "patience", "max_length", "doc_stride", "max_answer_length", "max_target_length",
)  # fmt: skip
AUTO_VERSION = 2  # raised when the same rows would give an `auto` field another value; part of the identity of such cells
AT_LEAST_ONE = (
    "batch_size", "eval_batch_size", "epochs", "max_length", "max_target_length", "num_beams", "n_best", "lora_rank", "lora_alpha",
)  # fmt: skip
Auto = Literal["auto"]


@dataclass(frozen=True)
class Recipe:
    """Hyper-parameters of one training.

    Every field is part of a cell's identity, except those in `MECHANICS` and those that belong to other methods
    (`harness.methods`). These defaults are those of a bare `Recipe()`; a cell's recipe follows from its model, family
    and data (`harness.recipe_rules`).
    """

    learning_rate: float = 3e-5  # peak of the schedule
    batch_size: int | Auto = 32  # examples (or QA windows) for each optimiser step
    micro_batch_size: int | None = None  # examples for each forward pass; None: batch_size
    eval_batch_size: int = 64
    epochs: int | Auto = 3
    max_steps: int | None = None  # ends the training before `epochs` would
    warmup_ratio: float = 0.1  # share of the steps in which the learning rate rises from 0; then it falls linearly to 0
    weight_decay: float = 0.01  # for parameters of two or more dimensions
    max_grad_norm: float = 1.0
    precision: str = "auto"  # auto: bf16 autocast where the device multiplies bf16 natively, else fp32
    evaluations: int | Auto | None = None  # validations during the training; None: one an epoch
    patience: int | Auto = 3  # validations without gain after which the training stops; 0: never
    max_length: int | Auto = 128  # tokens, special tokens included; never above the model's own limit
    doc_stride: int | Auto = 48  # tokens that neighbouring windows of a long context share
    max_answer_length: int | Auto = 30  # tokens (extractive answers)
    n_best: int = 20  # start and end candidates kept for each window
    max_target_length: int | Auto = 128  # tokens (generated text)
    num_beams: int = 1
    lora_rank: int = 8  # of the adapters' matrices (Hu et al. 2021, table 9)
    lora_alpha: int = 16  # the adapters' output is multiplied by lora_alpha / lora_rank
    lora_dropout: float = 0.0  # of the adapters' inputs
    lora_targets: str = "usual"  # usual: the layers that PEFT adapts in a model of this type; all: every linear layer

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _coerce(field.name, getattr(self, field.name)))
        for name, valid in (("precision", PRECISIONS), ("lora_targets", LORA_TARGETS)):
            if getattr(self, name) not in valid:
                raise BenchError(f"recipe.{name} is {getattr(self, name)!r}; valid: {', '.join(valid)}")
        if not 0 <= self.lora_dropout < 1:
            raise BenchError(f"recipe.lora_dropout is {self.lora_dropout}; it must be 0 or more, and below 1")
        for name in AT_LEAST_ONE:
            value = getattr(self, name)
            if value != AUTO and value < 1:
                raise BenchError(f"recipe.{name} is {value}; it must be 1 or more")
        if self.learning_rate <= 0:
            raise BenchError(f"recipe.learning_rate is {self.learning_rate}; it must be above 0")

    def updated(self, values: Mapping[str, Any]) -> Recipe:
        """Return a copy with these values.

        Raises:
            BenchError: an unknown field, or a value of the wrong type.
        """
        for name in values:
            if name not in FIELD_TYPES:
                raise unknown("recipe field", name, FIELD_NAMES)
        return replace(self, **values)


FIELD_TYPES = typing.get_type_hints(Recipe)
# Short names, valid wherever a person writes a field name: settings, suite rules, searches.
SHORT_NAMES = {"lr": "learning_rate", "bs": "batch_size", "wd": "weight_decay", "warmup": "warmup_ratio", "rank": "lora_rank"}
SHORT_NAME_OF = {name: short for short, name in SHORT_NAMES.items()}
FIELD_NAMES = (*FIELD_TYPES, *SHORT_NAMES)
# These split the work but do not change what is computed: the score is the same up to rounding, so the cell is the
# same.
MECHANICS = ("micro_batch_size", "eval_batch_size")


def full_name(name: str, where: str, valid: Collection[str] = FIELD_TYPES, kind: str = "recipe field") -> str:
    """Return the field that a name stands for: a full or short name, optionally prefixed with `recipe.`.

    Args:
        where: where the name was written, for the message.
        valid: the allowed fields.

    Raises:
        BenchError: not an allowed field.
    """
    bare = name.strip().removeprefix("recipe.")
    field = SHORT_NAMES.get(bare, bare)
    if field not in valid:
        raise unknown(kind, bare, [one for one in FIELD_NAMES if SHORT_NAMES.get(one, one) in valid], where=where)
    return field


def full_names(rule: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a rule with its short field names replaced by full ones.

    Raises:
        BenchError: not a mapping, or a field is named twice.
    """
    if not isinstance(rule, Mapping):
        raise BenchError(f"{where}: {rule!r} is not a rule; a rule maps fields to values, such as {{lr: 3.0e-5}}")
    renamed: dict[str, Any] = {}
    for name, value in rule.items():
        field = SHORT_NAMES.get(name, name)
        if field in renamed:
            raise BenchError(f"{where}: {SHORT_NAME_OF[field]} and {field} are the same field; leave one of them out")
        renamed[field] = value
    return renamed


def _coerce(name: str, value: Any) -> Any:
    """Convert a value to its field's type: YAML reads `3e-5` as text, and the command line only gives text."""
    kinds = typing.get_args(FIELD_TYPES[name]) or (FIELD_TYPES[name],)
    optional = type(None) in kinds
    if value is None or (optional and str(value).lower() in ("none", "null")):
        if not optional:
            raise BenchError(f"recipe.{name} has no value")
        return None
    if name in AUTO_FIELDS and value == AUTO:
        return AUTO
    kind = kinds[0]
    try:
        if isinstance(value, bool):
            raise ValueError(value)  # int and float would accept it
        number = kind(value)
        if (kind is int and float(value) != number) or (kind is float and not math.isfinite(number)):
            raise ValueError(value)
        return number
    except (TypeError, ValueError, OverflowError):
        expected = {int: "a whole number", float: "a number"}.get(kind, f"a {kind.__name__}")
        raise BenchError(f"recipe.{name} is {repr(value)[:60]}; it must be {expected}") from None


def auto_fields(recipe: Recipe) -> tuple[str, ...]:
    """Return the fields that are `auto`."""
    return tuple(name for name in AUTO_FIELDS if getattr(recipe, name) == AUTO)


def trained_recipe(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe that a cell was trained with: the requested one, with the values of its `auto` fields."""
    fitted = {name: field["value"] for name, field in (record.get("fitted") or {}).items()}
    return {**(record.get("recipe") or {}), **fitted}


def rule_applies(rule: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a cell with these facts meets all conditions (`when`) of a rule."""
    conditions = rule.get("when") or {}
    return all(facts[key] in (valid if isinstance(valid, list) else [valid]) for key, valid in conditions.items())


def scale_rate(value: float, factor: float) -> float:
    """Multiply a learning rate, and round the result to six digits."""
    return float(f"{value * factor:.6g}")
