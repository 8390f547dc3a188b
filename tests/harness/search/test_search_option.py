"""Values of `--search`: short names, types of values, and errors in one line."""

import pytest

from harness.errors import BenchError
from harness.search.search_option import check_fields, parse_search


def test_values_have_the_type_of_their_field():
    request = parse_search(["lr=1e-5, 3e-5,1e-4", "bs=32,16", "recipe.max_steps=none,100"])
    assert list(request.fields.items()) == [
        ("learning_rate", (1e-5, 3e-5, 1e-4)), ("batch_size", (32, 16)), ("max_steps", (None, 100)),
    ]  # fmt: skip
    assert request.arguments == ("learning_rate=1e-05,3e-05,0.0001", "batch_size=32,16", "max_steps=none,100")
    assert parse_search(request.arguments) == request


def test_other_kinds():
    assert parse_search([]) is None
    assert parse_search(["optuna:20"]).trials == 20 and parse_search(["optuna:20"]).arguments == ("optuna:20",)
    assert parse_search(["suite"]).arguments == ("suite",)
    assert parse_search(["auto"]).arguments == ("auto",) and parse_search(["auto"]).names == ("learning_rate",)
    assert parse_search(["none"]) is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["lr=1e-3"], "--search lr=1e-3: one value leaves nothing to choose; give two or more; to fix it: --set recipe.learning_rate=1e-3"),
        (["lr="], "--search lr=: one value leaves nothing to choose; give two or more"),
        (["lr=1e-3,0.001"], "--search lr=1e-3,0.001: the same value twice"),
        (["lr=1e-3,x"], "--search lr=1e-3,x: recipe.learning_rate is 'x'; it must be a number"),
        (["bs=16,0"], "--search bs=16,0: recipe.batch_size is 0; it must be 1 or more"),
        (["lrr=1,2"], "unknown field to search 'lrr'; did you mean 'lr'?"),
        (["learning_rat=1,2"], "unknown field to search 'learning_rat'; did you mean 'learning_rate'?"),
        (["micro_batch_size=1,2"], "unknown field to search 'micro_batch_size'"),
        (["precision=fp32,bf16"], "unknown field to search 'precision'"),
        (["lr=1,2", "learning_rate=3,4"], "learning_rate is named twice"),
        (["lr"], "--search lr: must be FIELD=V1,V2 (such as lr=1e-5,3e-5), auto, optuna:N or suite"),
        (["optuna"], "--search optuna: must be optuna:N with 2 or more trials"),
        (["optuna:1"], "--search optuna:1: must be optuna:N with 2 or more trials"),
        (["optuna:x"], "--search optuna:x: must be optuna:N"),
        (["optuna:3", "lr=1,2"], "only fields may be several"),
        (["auto", "bs=8,16"], "only fields may be several"),
        (["none", "auto"], "only fields may be several"),
        (["suite", "suite"], "only fields may be several"),
    ],
)  # fmt: skip
def test_errors_are_one_line(texts, message):
    with pytest.raises(BenchError) as raised:
        parse_search(texts)
    assert message in str(raised.value) and "\n" not in str(raised.value)


GRID = parse_search(["lr=1,2"])


def test_missing_and_fixed_fields_are_errors():
    check_fields(GRID, ["learning_rate", "lora_rank"], ["lora"], {"epochs": "3"})
    with pytest.raises(BenchError, match=r"method full has no field lora_rank.*--methods lora"):
        check_fields(GRID, ["lora_rank"], ["lora", "full"], {})
    with pytest.raises(BenchError, match=r"--set recipe.batch_size=8 fixes what is to be searched"):
        check_fields(GRID, ["batch_size"], ["full"], {"batch_size": "8"})
