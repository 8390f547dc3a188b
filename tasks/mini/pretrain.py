"""Pre-train one of the bundled models: `python -m tasks.mini.pretrain bert|gpt2|t5 [--output DIR] [--steps N] [--start DIR]`.

Writes config.json, model.safetensors (stored in 16 bits, loaded in 32), the files of the tokenizer, and a model card.
"""

import argparse
import copy
import json
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from transformers import AutoTokenizer

from .corpus import documents
from .objectives import OBJECTIVES

MODELS = Path(__file__).parent / "models"
DOCUMENTS, HELD_OUT, BATCH, SEED = 80_000, 500, 32, 20240
STEPS = {"bert": 5_000, "gpt2": 3_000, "t5": 3_500}
LEARNING_RATE = {"bert": 1.5e-3, "gpt2": 2e-3, "t5": 4e-2}


def batches(examples: list, rng: random.Random) -> Iterator[list]:
    """Yield batches of examples of similar length in random order, without end."""
    while True:
        order = sorted(range(len(examples)), key=lambda index: len(str(examples[index])) + 40 * rng.random())
        chunks = [order[start : start + BATCH] for start in range(0, len(order) - BATCH + 1, BATCH)]
        rng.shuffle(chunks)
        for chunk in chunks:
            yield [examples[index] for index in chunk]


@torch.no_grad()
def evaluate(objective, model: torch.nn.Module, examples: list, device: torch.device) -> float:
    """Mean negative log-likelihood (nats per predicted token) on held-out documents."""
    model.eval()
    rng, losses = random.Random(0), []
    for start in range(0, len(examples), BATCH):
        batch = objective.batch(examples[start : start + BATCH], rng)
        losses.append(objective.loss(model, {name: part.to(device) for name, part in batch.items()})[1].item())
    model.train()
    return sum(losses) / len(losses)


def make_optimiser(kind: str, model: torch.nn.Module) -> torch.optim.Optimizer:
    """AdamW with weight decay for matrices only; for T5 Adafactor (Shazeer & Stern 2018, arXiv 1804.04235).

    The standard deviations of T5's initial weights differ a hundredfold between embeddings and queries. Adafactor, with
    which T5 was trained, scales each step by the size of the weights; Adam does not, and so spoils the small ones.
    """
    rate = LEARNING_RATE[kind]
    if kind == "t5":
        return torch.optim.Adafactor(model.parameters(), lr=rate)
    groups = [{"params": [one], "weight_decay": 0.01 if one.ndim >= 2 else 0.0} for one in model.parameters()]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


def train(kind: str, steps: int, output: Path, start: Path | None = None) -> dict[str, float | str]:
    """Train for `steps` batches, from the weights in `start` if given, and save the model. Return the figures of the model card."""
    set_seed(SEED)
    accelerator = Accelerator()
    objective, rng = OBJECTIVES[kind](), random.Random(SEED)
    texts = list(documents(DOCUMENTS))
    known = {" ".join(text) for text in texts}
    held_out = [text for text in documents(HELD_OUT, seed=1) if " ".join(text) not in known]
    tokenizer = AutoTokenizer.from_pretrained(start) if start else objective.tokenizer(" ".join(text) for text in texts)
    model = objective.model(tokenizer)
    if start:
        model = type(model).from_pretrained(start)
    examples, held_out = [objective.encode(text) for text in texts], [objective.encode(text) for text in held_out]
    optimizer = make_optimiser(kind, model)
    optimiser = type(optimizer).__name__
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.06 * steps), max(0.02, (steps - step) / steps))
    )
    model, optimizer = accelerator.prepare(model, optimizer)
    began, tokens = time.time(), 0
    print(
        f"{kind}: {model.num_parameters():,} parameters, {len(tokenizer)} tokens, {len(examples)} documents", flush=True
    )
    for step, chunk in zip(range(1, steps + 1), batches(examples, rng), strict=False):
        batch = {name: part.to(accelerator.device) for name, part in objective.batch(chunk, rng).items()}
        tokens += batch["input_ids"].numel()
        loss, _ = objective.loss(model, batch)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % 250 == 0 or step == steps:
            nats = evaluate(objective, model, held_out, accelerator.device)
            minutes = (time.time() - began) / 60
            print(f"step {step} loss {loss.item():.3f} held-out {nats:.3f} {minutes:.1f} min", flush=True)
            figures = {"steps": step, "tokens": tokens, "loss": nats, "perplexity": math.exp(nats), "minutes": minutes,
                       "parameters": model.num_parameters(), "vocabulary": len(tokenizer), "optimiser": optimiser}  # fmt: skip
            save(kind, accelerator.unwrap_model(model), tokenizer, output, figures)
    return figures


def save(kind: str, model: torch.nn.Module, tokenizer, output: Path, figures: dict[str, float | str]) -> None:
    """Write the folder. Weights are stored in 16 bits; the configuration says float32, so that they are loaded as such."""
    output.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).half().save_pretrained(output)
    tokenizer.save_pretrained(output)
    config = output / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"dtype": "float32"}, indent=2) + "\n")
    (output / "generation_config.json").unlink(missing_ok=True)
    card = (Path(__file__).parent / "model_card.md").read_text()
    (output / "README.md").write_text(card.format(kind=kind, name=output.name, title=OBJECTIVES[kind].title, **figures))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=list(OBJECTIVES))
    parser.add_argument("--output", type=Path, help="folder to write (default: the bundled one)")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--start", type=Path, help="folder of a model to go on from")
    options = parser.parse_args()
    output = options.output or MODELS / OBJECTIVES[options.kind].name
    print(json.dumps(train(options.kind, options.steps or STEPS[options.kind], output, options.start)))


if __name__ == "__main__":
    main()
