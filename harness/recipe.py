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
CONDITIONS = ("family", "task", "model", "architecture", "kind", "method")  # that a rule may ask for
# Fields that may be `auto`: they follow from the training rows, by the rules of `harness.recipe_rules`.
AUTO_FIELDS = (
    "batch_size", "epochs", "evaluations", "patience", "max_length", "doc_stride", "max_answer_length", "max_target_length",
)  # fmt: skip
AUTO_VERSION = 2  # raised whenever those rules would give the same rows another value; part of the identity of cells with an `auto`
Auto = Literal["auto"]


@dataclass(frozen=True)
class Recipe:
    """Hyper-parameters of one training. Every field is part of a cell's identity, except those in `MECHANICS` and
    those that only other methods have (`harness.methods`). The defaults here are those of a bare `Recipe()`; what a cell
    gets follows from its model, family and data (`harness.recipe_rules`)."""

    learning_rate: float = 3e-5  # peak of the schedule
    batch_size: int | Auto = 32  # examples (or QA windows) for each step of the optimiser
    micro_batch_size: int | None = None  # examples for each forward pass; None: batch_size
    eval_batch_size: int = 64
    epochs: int | Auto = 3
    max_steps: int | None = None  # stops earlier than `epochs` would
    warmup_ratio: float = 0.1  # share of the steps in which the learning rate rises from 0, then falls linearly to 0
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
    lora_alpha: int = 16  # adapters count lora_alpha / lora_rank times
    lora_dropout: float = 0.0  # of what the adapters read
    lora_targets: str = "usual"  # usual: the layers that PEFT adapts in a model of this type; all: every linear layer

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _coerce(field.name, getattr(self, field.name)))
        if self.precision not in PRECISIONS:
            raise BenchError(f"recipe.precision is {self.precision!r}; valid: {', '.join(PRECISIONS)}")
        if self.lora_targets not in LORA_TARGETS:
            raise BenchError(f"recipe.lora_targets is {self.lora_targets!r}; valid: {', '.join(LORA_TARGETS)}")
        if not 0 <= self.lora_dropout < 1:
            raise BenchError(f"recipe.lora_dropout is {self.lora_dropout}; it must be 0 or more, and below 1")
        for name in (
            "batch_size",
            "eval_batch_size",
            "epochs",
            "max_length",
            "max_target_length",
            "num_beams",
            "n_best",
            "lora_rank",
            "lora_alpha",
        ):
            if getattr(self, name) != AUTO and getattr(self, name) < 1:
                raise BenchError(f"recipe.{name} is {getattr(self, name)}; it must be 1 or more")
        if self.learning_rate <= 0:
            raise BenchError(f"recipe.learning_rate is {self.learning_rate}; it must be above 0")

    def updated(self, values: Mapping[str, Any]) -> Recipe:
        """A copy with `values` changed.

        Raises:
            BenchError: a name that no recipe has, or a value of the wrong kind.
        """
        for name in values:
            if name not in FIELD_TYPES:
                raise unknown("recipe field", name, FIELD_NAMES)
        return replace(self, **values)


FIELD_TYPES = typing.get_type_hints(Recipe)
# Short names, for wherever a person writes the name of a field: settings, rules of suites, searches.
SHORT_NAMES = {"lr": "learning_rate", "bs": "batch_size", "wd": "weight_decay", "warmup": "warmup_ratio", "rank": "lora_rank"}
SHORT_NAME_OF = {name: short for short, name in SHORT_NAMES.items()}
FIELD_NAMES = (*FIELD_TYPES, *SHORT_NAMES)
# How the work is cut up, not what is computed: the same score up to rounding, so the same cell.
MECHANICS = ("micro_batch_size", "eval_batch_size")


def full_name(name: str, where: str, valid: Collection[str] = FIELD_TYPES, kind: str = "recipe field") -> str:
    """The field that a name means: its own, a short one, or either behind `recipe.`.

    Args:
        where: the place of the name, for the message.
        valid: the fields that it may be.

    Raises:
        BenchError: it is none of these.
    """
    plain = name.strip().removeprefix("recipe.")
    field = SHORT_NAMES.get(plain, plain)
    if field not in valid:
        raise unknown(kind, plain, [one for one in FIELD_NAMES if SHORT_NAMES.get(one, one) in valid], where=where)
    return field


def full_names(rule: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A rule with full names in the place of short ones; other names stay as they are.

    Raises:
        BenchError: no mapping, or two names of one field.
    """
    if not isinstance(rule, Mapping):
        raise BenchError(f"{where}: {rule!r} is not a rule; a rule maps fields to values, such as {{lr: 3.0e-5}}")
    found: dict[str, Any] = {}
    for name, value in rule.items():
        field = SHORT_NAMES.get(name, name)
        if field in found:
            raise BenchError(f"{where}: {SHORT_NAME_OF[field]} and {field} are the same field; leave one of them out")
        found[field] = value
    return found


def _coerce(name: str, value: Any) -> Any:
    """YAML reads `3e-5` as text and the command line gives nothing but text: bring a value to its field's type."""
    kinds = typing.get_args(FIELD_TYPES[name]) or (FIELD_TYPES[name],)
    if value is None or (type(None) in kinds and str(value).lower() in ("none", "null")):
        if type(None) not in kinds:
            raise BenchError(f"recipe.{name} has no value")
        return None
    if name in AUTO_FIELDS and value == AUTO:
        return AUTO
    kind = kinds[0]
    try:
        if isinstance(value, bool):
            raise ValueError(value)  # int and float would make 1 of it
        number = kind(value)
        if (kind is int and float(value) != number) or (kind is float and not math.isfinite(number)):
            raise ValueError(value)
        return number
    except (TypeError, ValueError, OverflowError):
        must = {int: "a whole number", float: "a number"}.get(kind, f"a {kind.__name__}")
        raise BenchError(f"recipe.{name} is {repr(value)[:60]}; it must be {must}") from None


def auto_fields(recipe: Recipe) -> tuple[str, ...]:
    """The fields that are left to the data."""
    return tuple(name for name in AUTO_FIELDS if getattr(recipe, name) == AUTO)


def trained_recipe(record: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe that a record's training went by: as it was asked for, with the values of the fields that were left to the data."""
    fitted = {name: one["value"] for name, one in (record.get("fitted") or {}).items()}
    return {**(record.get("recipe") or {}), **fitted}


def rule_applies(rule: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a cell with these facts is one that a rule speaks of."""
    when = rule.get("when") or {}
    return all(facts[key] in (wanted if isinstance(wanted, list) else [wanted]) for key, wanted in when.items())


def scale_rate(value: float, factor: float) -> float:
    """A learning rate multiplied, without the digits that are only rounding."""
    return float(f"{value * factor:.6g}")
