"""How one predicted answer is compared with one gold answer, by words (SQuAD) or by characters (CMRC 2018, and its like).

The rules are those of the data sets' published evaluation scripts, restated; the tests hold them to the scripts' own
results.
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

# CMRC 2018's own list: it leaves ASCII's full stop and comma in place, and its "……" never matches one character.
_CMRC_PUNCTUATION = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")


def _segment(apart: str) -> re.Pattern[str]:
    """The characters of a class one by one, anything else by words.

    CMRC's published script leaves the words to NLTK's tokeniser; this pattern stands in for it: ASCII punctuation is split
    off, except inside 1,999.5 or don't.
    """
    word = rf"[^\s{apart}!-/:-@\[-`{{-~]+"
    return re.compile(rf"{word}(?:[.,']{word})*|\S")


@dataclass(frozen=True)
class AnswerUnit:
    """What answers are made of: their normal form, its parts, and how many parts two answers share."""

    name: str
    normalise: Callable[[str], str]
    split: Callable[[str], list[str]]
    shared: Callable[[list[str], list[str]], int]

    def exact(self, prediction: str, gold: str) -> int:
        """1 where both have the same normal form, else 0."""
        return int(self.normalise(prediction) == self.normalise(gold))

    def f1(self, prediction: str, gold: str, *, empty_agree: bool) -> float:
        """F1 of the shared parts, 0 to 1. Two answers without parts agree where `empty_agree` (SQuAD 2.0's rule)."""
        predicted, wanted = self.split(self.normalise(prediction)), self.split(self.normalise(gold))
        if empty_agree and not (predicted and wanted):
            return float(predicted == wanted)
        shared = self.shared(predicted, wanted)
        if shared == 0:
            return 0.0
        precision, recall = shared / len(predicted), shared / len(wanted)
        return 2 * precision * recall / (precision + recall)


def _normalise_words(text: str) -> str:
    text = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    return " ".join(text.split())


def _shared_words(predicted: list[str], wanted: list[str]) -> int:
    return (Counter(predicted) & Counter(wanted)).total()


def _normalise_characters(text: str) -> str:
    return text.lower().strip().translate(_CMRC_PUNCTUATION)


def _longest_shared_run(predicted: list[str], wanted: list[str]) -> int:
    return SequenceMatcher(None, predicted, wanted, autojunk=False).find_longest_match().size


# Lower case, no ASCII punctuation, no English articles; then a bag of words.
WORDS = AnswerUnit("word", _normalise_words, str.split, _shared_words)
# Lower case, no CMRC punctuation; then the longest run of characters in common.
CHARACTERS = AnswerUnit("character", _normalise_characters, _segment(HAN).findall, _longest_shared_run)
# The same for every script without blanks, where CMRC's script would take a run of kana or Thai letters for one word.
ANY_CHARACTERS = AnswerUnit("any-character", _normalise_characters, _segment(UNSPACED_LETTERS).findall, _longest_shared_run)
UNITS = {unit.name: unit for unit in (WORDS, CHARACTERS, ANY_CHARACTERS)}


def best(unit: AnswerUnit, text: str, golds: list[str], version: str) -> tuple[int, float]:
    """Exact match and F1 of one prediction, each over the gold answer that suits it best."""
    if version == "2.0":
        golds = [gold for gold in golds if unit.normalise(gold)] or [""]
    exact = max(unit.exact(text, gold) for gold in golds)
    return exact, max(unit.f1(text, gold, empty_agree=version == "2.0") for gold in golds)
