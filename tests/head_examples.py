"""A few examples for each head, of unlike length and with the cases that are easily got wrong."""

from harness.heads.sequence import SequenceHead
from harness.heads.spans import SpanHead
from harness.heads.text import TextHead
from harness.heads.tokens import TokenHead
from harness.recipe import Recipe

CONTEXT = "the dog is bad . " * 12 + "anna likes the cat in lisbon . " + "the house is good . " * 12
EXAMPLES = {
    SequenceHead: [
        {"text": "the cat", "text_pair": None, "label": "bad"},
        {"text": "the cat sees a very good garden in lisbon", "text_pair": None, "label": "good"},
        {"text": "dog", "text_pair": None, "label": "good"},
    ],
    TokenHead: [
        {"words": ["anna", "sees", "lisbon"], "tags": ["B-PER", "O", "B-LOC"]},
        {"words": ["the", "cat"] * 40, "tags": ["O", "O"] * 40},  # longer than a window
        {"words": ["anna", "\u200d", "cat"], "tags": ["B-PER", "O", "O"]},  # a word that some tokenisers drop
    ],
    SpanHead: [
        {"question": "where ?", "context": "in lisbon .", "answers": {"text": ["lisbon"], "answer_start": [3]}},
        {"question": "who likes the cat ?", "context": CONTEXT, "answers": {"text": ["anna"], "answer_start": [CONTEXT.index("anna")]}},
        {"question": "when ?", "context": "the dog is bad .", "answers": {"text": [], "answer_start": []}},
    ],
    TextHead: [
        {"source": "the cat", "target": "die katze"},
        {"source": "the cat sees the house and the dog", "target": "die katze sieht das haus und den hund"},
        {"source": "dog", "target": "hund"},
    ],
}  # fmt: skip
LABELS = {SequenceHead: ["bad", "good"], TokenHead: ["O", "B-LOC", "B-PER"], SpanHead: None, TextHead: None}
RECIPE = Recipe(max_length=48, doc_stride=12, max_target_length=40)
