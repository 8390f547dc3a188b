"""Comparison of a predicted answer with a gold answer, by words (SQuAD) or by characters (CMRC 2018).

The rules are those of the published evaluation scripts of these data sets. Tests compare the results with those of the
scripts.
"""

import re
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from harness.languages import HAN, UNSPACED_LETTERS

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")

# The list of CMRC 2018, which lacks the full stop and comma of ASCII. Its "……" never matches a single character.
_CMRC_PUNCTUATION = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")


def _segment(characters: str) -> re.Pattern[str]:
    """A pattern that matches these characters one by one, and anything else by words.

    The script of CMRC uses NLTK's tokenizer for words. Here, ASCII punctuation is split off, except inside 1,999.5 or
    don't.
    """
    word = rf"[^\s{characters}!-/:-@\[-`{{-~]+"
    return re.compile(rf"{word}(?:[.,']{word})*|\S")


@dataclass(frozen=True)
class AnswerUnit:
    """The unit in which answers are compared.

    Attributes:
        name: the name in task options.
        normalise: text → its normal form.
        split: normal form → its parts.
        shared: parts of two answers → number of parts that they share.
    """

    name: str
    normalise: Callable[[str], str]
    split: Callable[[str], list[str]]
    shared: Callable[[list[str], list[str]], int]

    def exact(self, prediction: str, gold: str) -> int:
        """1 if both have the same normal form, else 0."""
        return int(self.normalise(prediction) == self.normalise(gold))

    def f1(self, prediction: str, gold: str, *, empty_agree: bool) -> float:
        """F1 of the shared parts (0-1). With `empty_agree`, two empty answers agree (the rule of SQuAD 2.0)."""
        predicted, actual = self.split(self.normalise(prediction)), self.split(self.normalise(gold))
        if empty_agree and not (predicted and actual):
            return float(predicted == actual)
        shared = self.shared(predicted, actual)
        if shared == 0:
            return 0.0
        precision, recall = shared / len(predicted), shared / len(actual)
        return 2 * precision * recall / (precision + recall)


def _normalise_words(text: str) -> str:
    text = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    return " ".join(text.split())


def _shared_words(predicted: list[str], actual: list[str]) -> int:
    return (Counter(predicted) & Counter(actual)).total()


def _normalise_characters(text: str) -> str:
    return text.lower().strip().translate(_CMRC_PUNCTUATION)


def _longest_shared_run(predicted: list[str], actual: list[str]) -> int:
    return SequenceMatcher(None, predicted, actual, autojunk=False).find_longest_match().size


# In lower case, without ASCII punctuation and English articles; compared as bags of words.
WORDS = AnswerUnit("word", _normalise_words, str.split, _shared_words)
# In lower case, without the punctuation of CMRC; compared by the longest common run of characters.
CHARACTERS = AnswerUnit("character", _normalise_characters, _segment(HAN).findall, _longest_shared_run)
# The same for all languages without blanks. The script of CMRC takes a run of kana or Thai letters for one word.
ANY_CHARACTERS = AnswerUnit(
    "any-character", _normalise_characters, _segment(UNSPACED_LETTERS).findall, _longest_shared_run
)
UNITS = {unit.name: unit for unit in (WORDS, CHARACTERS, ANY_CHARACTERS)}


def best_match(unit: AnswerUnit, text: str, golds: list[str], version: str) -> tuple[int, float]:
    """Exact match and F1 of a prediction, each as the maximum over the gold answers."""
    if version == "2.0":
        golds = [gold for gold in golds if unit.normalise(gold)] or [""]
    exact = max(unit.exact(text, gold) for gold in golds)
    return exact, max(unit.f1(text, gold, empty_agree=version == "2.0") for gold in golds)
