"""How fast are translations written, beside a plain `model.generate` over the test set?

    python benchmarks/generation.py --models gpt2-mini,t5-mini --tasks multi30k-en-de,mini-translation

Each model is fine-tuned by the harness first, so that its texts end where they should; the weights are kept in `--results`.
Then the test split is written in turn by

- `file`: `model.generate` for each batch in the order of the file, padded to the longest of the batch, greedy, with its cache;
- `sorted`: the same in the order of length;
- `harness`: `harness.training.evaluate.predict`, as in a cell,

all in this process, on one thread, with the recipe's `eval_batch_size`, and the texts are compared. Times are medians. With
`--precision bf16` all three have the weights and the autocast of a cell in bf16, where texts depend on the batch they are in.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import torch
import transformers
from accelerate import Accelerator
from torch import nn

from harness import registry
from harness.cell import Cell
from harness.files import write_text
from harness.heads.base import Feature
from harness.heads.make import fitted_head
from harness.heads.text import PromptedTextHead, TextHead
from harness.planning.plan import make_plan
from harness.planning.request import Request
from harness.store import Store
from harness.task_data import load_data
from harness.training.batches import evaluation_batches
from harness.training.device import make_accelerator
from harness.training.evaluate import predict
from harness.training.weights import Weights
from harness.training.worker import run_cell

SUITES = {"mini-translation": "mini"}  # the others are of benchmarks/real.yaml
REAL = str(Path(__file__).with_name("real.yaml"))
RATES = {
    "decoder": "1e-3",
    "encoder-decoder": "3e-3",
    "encoder": "1e-3",
}  # those of the suite mini, for models of its size
CLOSE = 1e-4  # logits that differ by less may change places with the shape of a batch
WAYS = ("file", "sorted", "harness")


def plan_cell(model: str, task: str, rate: str | None, limit: int | None) -> Cell:
    """The cell to train, validated once."""

    def cell(**settings: str) -> Cell:
        suite = SUITES.get(task, REAL)
        return make_plan(Request([model], [task], suite=suite, seeds=range(1), limit=limit, settings=settings)).cells[0]

    rate = rate or RATES[cell().model.architecture]
    return cell(**{"recipe.learning_rate": rate, "recipe.evaluations": "1"})


def trained(cell: Cell, results: Path) -> tuple[TextHead, nn.Module, list[Feature]]:
    """A head, its fine-tuned model and the test split's features."""
    weights = results / f"{cell.id}.pt"
    if not weights.exists():
        kept, decide = [], TextHead._decide_generation
        with mock.patch.object(
            TextHead, "_decide_generation", lambda head, model: kept.append(model) or decide(head, model)
        ):
            record = run_cell(cell, "cpu", Store(results), lambda event: None)
        torch.save(kept[0].state_dict(), weights)
        print(f"{cell.id}: {record['primary_metric']} {record['score']:.1f}", flush=True)
    family = registry.family(cell.task.family)
    splits = load_data(cell.task, family).splits
    head, rows = fitted_head(cell, family, None, splits).head, splits["test"]
    model = head.build().eval()
    model.load_state_dict(torch.load(weights))
    return head, model, head.encode([family.example(row, cell.task) for row in rows], training=False)


def plain(
    accelerator: Accelerator,
    head: TextHead,
    model: nn.Module,
    features: Sequence[Feature],
    batches: Sequence[Sequence[int]],
) -> list[str]:
    """`model.generate`, batch by batch."""
    texts = [""] * len(features)
    with torch.inference_mode(), accelerator.autocast():
        for numbers in batches:
            batch = head.collate([features[number] for number in numbers])
            tokens = model.generate(**batch)
            tokens = tokens[:, batch["input_ids"].shape[1] :] if isinstance(head, PromptedTextHead) else tokens
            for number, text in zip(
                numbers, head.tokenizer.batch_decode(tokens, skip_special_tokens=True), strict=True
            ):
                texts[number] = text.strip()
    return texts


def smallest_gap(head: TextHead, model: nn.Module, feature: Feature) -> float:
    """Between the best two logits, over all steps of one text."""
    with torch.inference_mode():
        out = model.generate(**head.collate([feature]), return_dict_in_generate=True, output_logits=True)
    best = torch.stack(out.logits).topk(2).values
    return float((best[..., 0] - best[..., 1]).min())


def measure(cell: Cell, results: Path, repeats: int, batch_size: int | None, precision: str) -> dict[str, str]:
    """One line of the table."""
    head, model, features = trained(cell, results)
    size = batch_size or cell.recipe.eval_batch_size
    accelerator = make_accelerator("cpu", precision)
    Weights(model, half=precision == "bf16")
    lengths = [feature.length for feature in features]
    in_order = [range(begin, min(begin + size, len(features))) for begin in range(0, len(features), size)]
    ways: dict[str, Callable[[], list[str]]] = {
        "file": lambda: plain(accelerator, head, model, features, in_order),
        "sorted": lambda: plain(accelerator, head, model, features, evaluation_batches(lengths, size)),
        "harness": lambda: predict(accelerator, model, head, features, len(features), cell.recipe.eval_batch_size),
    }
    texts, processor, wall = {}, {way: [] for way in WAYS}, {way: [] for way in WAYS}
    for turn in range(repeats + 1):  # the first turn warms up
        for way in WAYS:
            begun = time.process_time(), time.perf_counter()
            texts[way] = ways[way]()
            if turn:
                processor[way].append(time.process_time() - begun[0])
                wall[way].append(time.perf_counter() - begun[1])
    different, by_order = (
        [number for number in range(len(features)) if texts["file"][number] != texts[way][number]]
        for way in ("harness", "sorted")
    )
    why = ""
    if different and precision == "fp32":
        close = sum(smallest_gap(head, model, features[number]) < CLOSE for number in different)
        why = f", {close} by logits closer than {CLOSE}"
    written = [len(ids) for ids in head.tokenizer(texts["file"], add_special_tokens=False)["input_ids"]]
    seconds = {way: (statistics.median(processor[way]), statistics.median(wall[way])) for way in WAYS}
    return {
        "model": cell.model.name,
        "task": cell.task.title,
        "texts": str(len(features)),
        "tokens: mean, most": f"{statistics.mean(written):.1f}, {max(written)}",
        **{f"{way}: processor s (wall)": f"{used:.2f} ({passed:.2f})" for way, (used, passed) in seconds.items()},
        "file / harness": f"**{seconds['file'][0] / seconds['harness'][0]:.1f}** ({seconds['file'][1] / seconds['harness'][1]:.1f})",
        "sorted / harness": f"{seconds['sorted'][0] / seconds['harness'][0]:.1f} ({seconds['sorted'][1] / seconds['harness'][1]:.1f})",
        "texts that differ": f"{len(different)}{why}",
        "file and sorted differ": str(len(by_order)),
    }  # fmt: skip


def table(rows: Sequence[dict[str, str]]) -> str:
    """The lines as Markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Measure model by model, task by task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="gpt2-mini,t5-mini", help="with commas between")
    parser.add_argument("--tasks", default="multi30k-en-de,mini-translation", help="with commas between")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--limit", type=int, help="rows of every split")
    parser.add_argument("--batch-size", type=int, help="of the plain ways; default: the recipe's, as in the harness")
    parser.add_argument("--learning-rate", help="for the fine-tuning; default: that of the suite mini")
    parser.add_argument("--results", type=Path, default=Path("generation-results"))
    parser.add_argument("--output", type=Path, help="Markdown file for the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    options.results.mkdir(parents=True, exist_ok=True)
    rows = []
    for task in options.tasks.split(","):
        for model in options.models.split(","):
            cell = plan_cell(model, task, options.learning_rate, options.limit)
            rows.append(measure(cell, options.results, options.repeats, options.batch_size, options.precision))
            print(table(rows), flush=True)
    if options.output:
        write_text(options.output, table(rows))


if __name__ == "__main__":
    main()
