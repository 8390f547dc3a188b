"""Extractive question answering: start and end of the answer in the context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForQuestionAnswering

from harness.heads.backbone import SpansOnBackbone
from harness.heads.base import Feature, Head, accepted
from harness.heads.sequence import joins_silently
from harness.heads.windows import Window, best_span


class SpanHead(Head):
    """Reads examples `{"question": str, "context": str, "answers": {"text": [...], "answer_start": [...]}}`.

    Gives `{"text": str, "start": int, "score": float, "null_score": float}` for each example: the best span over all windows
    of its context, or an empty text where having no answer scores higher and a training example had none either (or the
    task's option `unanswerable` says so). A long context is read in overlapping windows that together cover every token of it
    (Devlin et al. 2019; the windows of Alberti et al. 2019). "No answer" points at one fixed token: CLS, or for decoders
    an end token put behind everything, because only the last token of a decoder has read the whole window.
    """

    windows = True
    may_abstain = False

    def build(self) -> nn.Module:
        if not self.pretrained.has(AutoModelForQuestionAnswering):
            return SpansOnBackbone(self.pretrained, 2)
        return self.pretrained.load(
            AutoModelForQuestionAnswering, self.pretrained.configure(pad_token_id=self.tokenizer.pad_token_id)
        )

    def encode(self, examples: Sequence[Mapping[str, Any]], training: bool) -> list[Feature]:
        if training:
            self.may_abstain = self.options.get(
                "unanswerable", any(not example["answers"]["text"] for example in examples)
            )
        tail = self._null_tail()
        length = self.max_length - len(tail)
        questions = self._questions(examples, length)
        room = length - max(
            (len(ids) for ids in self.tokenizer(questions, add_special_tokens=False)["input_ids"]), default=0
        )
        room -= self.tokenizer.num_special_tokens_to_add(pair=True)
        encoded = self.tokenizer(
            questions,
            [example["context"] for example in examples],
            truncation="only_second",
            max_length=length,
            stride=min(
                self.recipe.doc_stride, max(0, room - 1)
            ),  # an overlap as long as the window would never move on
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        features = []
        for row, number in enumerate(encoded["overflow_to_sample_mapping"]):
            inputs = {key: list(encoded[key][row]) for key in encoded if key in self.tokenizer.model_input_names}
            inputs.setdefault("attention_mask", [1] * len(inputs["input_ids"]))
            inputs["input_ids"] += tail
            inputs["attention_mask"] += [1] * len(tail)
            if tail and "token_type_ids" in inputs:
                inputs["token_type_ids"] += [0] * len(tail)
            in_context = [side == 1 for side in encoded.sequence_ids(row)] + [False] * len(tail)
            offsets = [tuple(pair) for pair in encoded["offset_mapping"][row]] + [(0, 0)] * len(tail)
            null = len(in_context) - 1 if tail else self._null_position(inputs["input_ids"])
            window = Window.of(offsets, in_context, null)
            if training:
                answers = examples[number]["answers"]
                if answers["text"] and max(answers["answer_start"]) < 0:
                    continue  # there is an answer, and nobody knows where: neither a place nor "no answer" would be right
                start, end = window.locate(answers)
                inputs["start_positions"], inputs["end_positions"] = start, end
            features.append(Feature(number, inputs, {"window": window, "context": examples[number]["context"]}))
        return features

    def needs(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
        longest, answers = [0] * len(examples), []
        for feature in self._uncut(examples, training=True):
            longest[feature.example] = max(longest[feature.example], feature.length)
            start, end = feature.inputs["start_positions"], feature.inputs["end_positions"]
            if start != feature.extra["window"].null:
                answers.append(end - start + 1)
        return {"max_length": longest, "max_answer_length": answers}

    def _null_tail(self) -> list[int]:
        if self.pretrained.architecture != "decoder":
            return []
        return [self.tokenizer.eos_token_id if self.tokenizer.eos_token_id is not None else self.tokenizer.pad_token_id]

    def _null_position(self, input_ids: list[int]) -> int:
        cls = self.tokenizer.cls_token_id
        return input_ids.index(cls) if cls in input_ids else 0

    def _questions(self, examples: Sequence[Mapping[str, Any]], length: int) -> list[str]:
        """The questions, cut to half of the window, so that there is always room for context."""
        questions = [example["question"].strip() for example in examples]
        encoded = self.tokenizer(questions, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        for number, offsets in enumerate(encoded["offset_mapping"]):
            if len(offsets) > length // 2:
                questions[number] = questions[number][: offsets[length // 2 - 1][1]]
                self.truncated += 1
        return [question + "\n" for question in questions] if joins_silently(self.tokenizer) else questions

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of start and end over the window's tokens, the mean of both.

        The library's own loss counts padding as a candidate too, so that a window's loss depends on its neighbours.
        """
        targets = [batch[name] for name in ("start_positions", "end_positions")]
        given = {name: tensor for name, tensor in batch.items() if not name.endswith("_positions")}
        output = model(**accepted(model, given))
        padding = batch["attention_mask"] == 0
        losses = [
            nn.functional.cross_entropy(logits.float().masked_fill(padding, -torch.inf), target)
            for logits, target in zip((output.start_logits, output.end_logits), targets, strict=True)
        ]
        return torch.stack(losses).mean()

    def predict(self, model: nn.Module, batch: dict[str, Tensor]) -> list[tuple[np.ndarray, np.ndarray]]:
        output = model(**accepted(model, batch))
        starts, ends = output.start_logits.float().cpu().numpy(), output.end_logits.float().cpu().numpy()
        return list(zip(starts, ends, strict=True))

    def decode(
        self, features: Sequence[Feature], outputs: Sequence[tuple[np.ndarray, np.ndarray]], count: int
    ) -> list[dict[str, Any]]:
        best: list[dict[str, Any]] = [
            {"text": "", "score": -np.inf, "null_score": np.inf, "start": 0} for _ in range(count)
        ]
        for feature, (starts, ends) in zip(features, outputs, strict=True):
            window: Window = feature.extra["window"]
            answer = best[feature.example]
            # A question has no answer only if no window has one: the lowest null score of all windows counts.
            answer["null_score"] = min(answer["null_score"], float(starts[window.null] + ends[window.null]))
            span = best_span(window, starts, ends, self.recipe.n_best, self.recipe.max_answer_length)
            if span is not None and span[2] > answer["score"]:
                begin, stop, score = span
                answer.update(text=feature.extra["context"][begin:stop], score=score, start=begin)
        for answer in best:
            if self.may_abstain and answer["null_score"] > answer["score"]:
                answer.update(text="", start=0)
        return best
