"""Extractive question answering: the start and the end of the answer in the context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoModelForQuestionAnswering

from harness.heads.assembled import SpansOnBackbone
from harness.heads.base import Feature, Head, accepted
from harness.heads.sequence import lacks_separator


@dataclass(frozen=True)
class Window:
    """A window of a context.

    Attributes:
        offsets: [tokens, 2] start and end (exclusive) of each token in the context, in characters.
        tokens: positions of the context's tokens in the window, ascending.
        null: the position that stands for "no answer here".
    """

    offsets: np.ndarray
    tokens: np.ndarray
    null: int

    @classmethod
    def of(cls, offsets: Sequence[tuple[int, int]], in_context: Sequence[bool], null: int) -> Window:
        """From a tokeniser's offset mapping and a flag for each token that belongs to the context."""
        return cls(np.array(offsets, dtype=np.int32).reshape(-1, 2), np.flatnonzero(in_context), null)

    def locate(self, answers: Mapping[str, Sequence[Any]]) -> tuple[int, int]:
        """First and last token of the first answer that lies completely in this window; (null, null) if none does.

        An answer with a negative start has no known position.
        """
        for text, begin in zip(answers["text"], answers["answer_start"], strict=True):
            if begin < 0:
                continue
            end = begin + len(text)
            overlapping = [t for t in self.tokens if self.offsets[t, 0] < end and self.offsets[t, 1] > begin]
            if overlapping and self.offsets[overlapping[0], 0] <= begin and self.offsets[overlapping[-1], 1] >= end:
                return int(overlapping[0]), int(overlapping[-1])
        return self.null, self.null


def best_span(
    window: Window, starts: np.ndarray, ends: np.ndarray, n_best: int, max_length: int
) -> tuple[int, int, float] | None:
    """The span with the highest sum of start and end score among the `n_best` starts and ends.

    Args:
        window: the window.
        starts: [tokens or more] start scores, padding included.
        ends: [tokens or more] end scores.
        n_best: number of starts and of ends to combine.
        max_length: the most tokens of an answer.

    Returns:
        (first character, character after the last, score), or None if the window holds no context.
    """
    if not len(window.tokens):
        return None
    start_scores, end_scores = starts[window.tokens], ends[window.tokens]
    first = np.argsort(-start_scores, kind="stable")[:n_best]
    last = np.argsort(-end_scores, kind="stable")[:n_best]
    scores = start_scores[first][:, None] + end_scores[last][None, :]
    distance = last[None, :] - first[:, None]
    scores = np.where((distance >= 0) & (distance < max_length), scores, -np.inf)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    begin, end, score = first[row], last[column], scores[row, column]
    if np.isneginf(score):
        # No start lies before an end: fall back to the best single token, so that each window gives an answer.
        sums = start_scores + end_scores
        begin = end = int(sums.argmax())
        score = sums[begin]
    return int(window.offsets[window.tokens[begin], 0]), int(window.offsets[window.tokens[end], 1]), float(score)


class SpanHead(Head):
    """Takes examples `{"question": str, "context": str, "answers": {"text": [...], "answer_start": [...]}}`.

    Gives `{"text": str, "start": int, "score": float, "null_score": float}` for each example: the best span over all windows
    of its context. The text is empty where "no answer" scores higher and the training rows have questions without an answer
    (the task's option `unanswerable` overrides that). A long context is read in overlapping windows that together cover
    every token (Devlin et al. 2019; windows as in Alberti et al. 2019). "No answer" points at one fixed token: CLS, or for
    decoders an end token after everything else, because only a decoder's last token has read the whole window.
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
            unanswered = any(not example["answers"]["text"] for example in examples)
            self.may_abstain = self.options.get("unanswerable", unanswered)
        tail = self._null_tail()
        length = self.max_length - len(tail)
        questions = self._questions(examples, length)
        question_ids = self.tokenizer(questions, add_special_tokens=False)["input_ids"]
        room = length - max(map(len, question_ids), default=0)
        room -= self.tokenizer.num_special_tokens_to_add(pair=True)
        encoded = self.tokenizer(
            questions,
            [example["context"] for example in examples],
            truncation="only_second",
            max_length=length,
            stride=min(self.recipe.doc_stride, max(0, room - 1)),  # an overlap as long as the window would never advance
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
                    continue  # the answer's position is unknown, so any target, "no answer" too, would be wrong
                inputs["start_positions"], inputs["end_positions"] = window.locate(answers)
            features.append(Feature(number, inputs, {"window": window, "context": examples[number]["context"]}))
        return features

    def needs(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
        longest, answer_lengths = [0] * len(examples), []
        for feature in self._encode_whole(examples, training=True):
            longest[feature.example] = max(longest[feature.example], feature.length)
            start, end = feature.inputs["start_positions"], feature.inputs["end_positions"]
            if start != feature.extra["window"].null:
                answer_lengths.append(end - start + 1)
        return {"max_length": longest, "max_answer_length": answer_lengths}

    def _null_tail(self) -> list[int]:
        if self.pretrained.architecture != "decoder":
            return []
        return [self.tokenizer.eos_token_id if self.tokenizer.eos_token_id is not None else self.tokenizer.pad_token_id]

    def _null_position(self, input_ids: list[int]) -> int:
        cls = self.tokenizer.cls_token_id
        return input_ids.index(cls) if cls in input_ids else 0

    def _questions(self, examples: Sequence[Mapping[str, Any]], length: int) -> list[str]:
        """The questions, truncated to half of the window, which leaves room for context."""
        questions = [example["question"].strip() for example in examples]
        encoded = self.tokenizer(questions, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        for number, offsets in enumerate(encoded["offset_mapping"]):
            if len(offsets) > length // 2:
                questions[number] = questions[number][: offsets[length // 2 - 1][1]]
                self.truncated += 1
        return [question + "\n" for question in questions] if lacks_separator(self.tokenizer) else questions

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Mean cross-entropy of start and end over the window's tokens.

        The loss in transformers counts padding as candidates, so that a window's loss would depend on its batch.
        """
        targets = [batch[name] for name in ("start_positions", "end_positions")]
        inputs = {name: tensor for name, tensor in batch.items() if not name.endswith("_positions")}
        output = model(**accepted(model, inputs))
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
        answers: list[dict[str, Any]] = [
            {"text": "", "score": -np.inf, "null_score": np.inf, "start": 0} for _ in range(count)
        ]
        for feature, (starts, ends) in zip(features, outputs, strict=True):
            window: Window = feature.extra["window"]
            answer = answers[feature.example]
            # A question has no answer only if no window has one, so the lowest null score of all windows counts.
            answer["null_score"] = min(answer["null_score"], float(starts[window.null] + ends[window.null]))
            span = best_span(window, starts, ends, self.recipe.n_best, self.recipe.max_answer_length)
            if span is not None and span[2] > answer["score"]:
                begin, end, score = span
                answer.update(text=feature.extra["context"][begin:end], score=score, start=begin)
        for answer in answers:
            if self.may_abstain and answer["null_score"] > answer["score"]:
                answer.update(text="", start=0)
        return answers
