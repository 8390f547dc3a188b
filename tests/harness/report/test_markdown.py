import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_records import failed, record
from rich.cells import cell_len

from harness.report.board import Board
from harness.report.board_files import render as from_folder
from harness.report.markdown import render
from harness.report.markdown_tables import escape, table
from harness.store import Store

ROOT = Path(__file__).resolve().parents[3]


def tables(text):
    """Every table of a Markdown text, as lists of lines."""
    return [block.split("\n") for block in re.findall(r"(?:^\|.*\n?)+", text, re.M)]


def grid():
    records = [
        record(task, model, 70.0 + seed + len(model), seed)
        for task in ("films", "songs") for model in ("bert", "gpt2", "t5-small") for seed in range(3)
    ]  # fmt: skip
    return [*records, failed("songs", "llama"), record("films", "bert", 60.0, method="scratch")]


def test_main_table():
    text = render(Board.of([record(score=90.0), record(score=94.0, seed=1), record(model="gpt2", score=50.0)]))
    assert "| bert " in text and "92.00 ± 2.83" in text
    assert re.search(r"\| gpt2 +\| 50\.00 +†¶", text)
    assert "† not better than the trivial answer" in text and "‡" not in text
    assert re.search(r"\| \*trivial answer\* +\| 50\.00", text)
    assert "4.4M" in text and "1.0 GiB" in text and "10 s" in text


def test_trained_parameters_are_shown_if_not_all_are_trained():
    whole = {"trainable_parameters": 4_400_000}
    assert "| trained" not in render(Board.of([record(), record(model="gpt2", cost_facts=whole)]))
    part = record(method="lora", cost_facts={"trainable_parameters": 12_000})
    text = render(Board.of([record(cost_facts=whole), part, record("songs", method="lora", cost_facts=whole)]))
    main, *_ = tables(text)
    assert "trained" in main[0] and any("12.0k–4.4M" in line for line in main if "bert · lora" in line)
    (films,) = re.findall("## films\n.*?(?=\n## )", text, re.S)
    assert "trained" in films and re.search(r"bert · lora .*\| +12\.0k \|", films)


def test_best_is_bold():
    text = render(Board.of([record(score=90.0), record(model="gpt2", score=80.0)]))
    assert "**90.00**" in text and "**80.00**" not in text


def test_same_records_same_bytes():
    records = grid()
    first = render(Board.of(records))
    random.Random(3).shuffle(records)
    assert render(Board.of(records)) == first


def test_columns_line_up_as_plain_text_with_wide_names_too():
    text = render(Board.of([*grid(), record("films", "模型-é", 80.0)]))
    assert len(tables(text)) >= 5
    for lines in tables(text):
        assert len({cell_len(line) for line in lines if line}) == 1


def test_failed_cells_are_shown():
    text = render(Board.of([record(), failed(model="gpt2", message="CUDA | out\nof memory")]))
    assert re.search(r"\| gpt2 +\| +failed ✗1", text)
    assert "## Failed cells (1)" in text and r"CUDA \| out" in text and "of memory" not in text
    assert "✗N" in text


def test_sections():
    phenomena = {"phenomena": {"negation": {"rows": 40, "score": 71.5}}}
    text = render(Board.of([*grid(), record("films", "bert", 99.0, 9, metrics=phenomena)]))
    assert "## What pre-training is worth" in text and "+14.00" in text
    assert "fingerprint 0123456789ab\n" in text and "rows: train 600, validation 200, test 200" in text
    assert "learning_rate 3e-05, batch_size 32, epochs 3" in text and "micro_batch_size" not in text
    assert re.search(r"phenomenon: negation +\| +40 \|", text) and "71.50" in text
    assert "CPU (cpu), 2 threads, fp32" in text
    assert "bench run --suite own --models bert,gpt2,llama,t5-small --tasks films,songs" in text


def test_sections_without_content_are_left_out():
    text = render(Board.of([record()]))
    assert not any(word in text for word in ("phenomenon", "pre-training", "Failed", "average", "✗"))


def test_names_are_escaped():
    text = render(Board.of([record(task="a|b", model="x*y|<i>[z](u)")]))
    assert r"x\*y\|\<i\>\[z\](u)" in text and r"## a|b" in text
    for lines in tables(text):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines if line}) == 1


def test_escape_keeps_words_with_underscores_readable():
    assert escape("macro_f1 __init__ a\nb") == r"macro_f1 \_\_init\_\_ a b"


def test_table():
    assert table(["m", "score"], [["bert", "1.00"]]) == "| m    | score |\n| ---- | ----: |\n| bert |  1.00 |"


def test_no_records():
    assert render(Board.of([])).startswith("# Leaderboard\n\nThere are no results yet")


def test_only_failures():
    text = render(Board.of([failed(), failed("songs")]))
    assert "## Failed cells (2)" in text and "## films" in text


def test_a_hundred_records_take_little_time():
    records = [
        record(f"t{task}", f"m{model}", 60.0 + model, seed)
        for task in range(5)
        for model in range(5)
        for seed in range(4)
    ]
    started = time.perf_counter()
    render(Board.of(records))
    assert time.perf_counter() - started < 1


def test_torch_and_transformers_are_not_imported():
    heavy = "{'torch', 'transformers', 'datasets', 'evaluate', 'sklearn', 'numpy'}"
    code = f"import sys, harness.report.formats, harness.report.terminal; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_split_rule_subset_and_warnings_are_shown_for_newer_records():
    facts = {
        "split_rule": "60/20/20 of all rows, stratified by label, seed 42", "limit": 200, "truncated": {"test": 30},
        "rows_without_limit": {"train": 7193, "validation": 2397, "test": 2397}, "warnings": ["a | b", "c"],
    }  # fmt: skip
    text = render(Board.of([record("films@200", task_facts=facts)]))
    for line in (
        "- splits: 60/20/20 of all rows, stratified by label, seed 42\n",
        "- subset of: train 7,193, validation 2,397, test 2,397\n",
        "- test rows cut to fit: bert 15.0%\n",
        "- warnings about the data: 2: a | b; c\n",
    ):
        assert line in text
    old = render(Board.of([record(task_facts={"truncated": {"test": 30}})]))
    assert not any(word in old for word in ("- splits:", "- subset of:", "- test rows cut", "- warnings"))


@pytest.mark.slow
def test_committed_leaderboard_is_up_to_date():
    """`make leaderboard` writes it anew."""
    assert (ROOT / "leaderboard.md").read_text(encoding="utf-8") == from_folder(Store(ROOT / "results"), "md")
