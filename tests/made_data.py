"""The data sets of the suite `standard` for a Hub on this machine: the real layouts, a few dozen made-up rows each.

Layouts are what the code depends on: columns, classes, configurations, splits, where the files lie, and what README.md says.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from datasets import ClassLabel, Dataset, Features, Translation, Value
from datasets import Sequence as Many

ROWS = {"train": 60, "validation": 24, "test": 24}
CONVERTED = "refs%2Fconvert%2Fparquet"
TEXT, WHOLE = Value("string"), Value("int32")
NAMES = ["anna", "boris", "clara", "dora", "emil", "fiona"]
VERBS = ["sees", "likes", "paints", "finds", "loses", "sells"]
THINGS = ["a house", "the garden", "two boats", "an old clock", "the red door", "some bread"]
HAN = "天地人山水火木金土日月星风雨云花草鸟鱼马"
TYPES = ["PER", "ORG", "LOC", "MISC"]

Row = dict[str, Any]


def sentence(chance: random.Random) -> str:
    return f"{chance.choice(NAMES)} {chance.choice(VERBS)} {chance.choice(THINGS)} on day {chance.randrange(1000)}"


def chinese(chance: random.Random, length: int = 12) -> str:
    return "".join(chance.choice(HAN) for _ in range(length)) + "。"


def classes(names: Sequence[str], text: Callable[[random.Random], Row], hidden: bool = False) -> Callable[..., Row]:
    """Rows with one of so many classes; in a hidden test split the class is -1."""

    def make(chance: random.Random, split: str, number: int) -> Row:
        return {**text(chance), "label": -1 if hidden and split == "test" else number % len(names), "idx": number}

    return make


def tags(kinds: Sequence[str], words: Callable[[random.Random], list[str]]) -> Callable[..., Row]:
    """Rows of words with numbers of `O, B-x, I-x, ...`."""

    def make(chance: random.Random, split: str, number: int) -> Row:
        tokens = words(chance)
        first = 1 + 2 * (number % len(kinds))
        return {"id": str(number), "tokens": tokens, "ner_tags": [first, first + 1] + [0] * (len(tokens) - 2)}

    return make


def question(text: Callable[[random.Random], str], unanswerable: bool = False) -> Callable[..., Row]:
    def make(chance: random.Random, split: str, number: int) -> Row:
        context = f"{text(chance)} {text(chance)}"
        start = context.index(" ") + 1
        answers = {"text": [context[start : start + 5]] * 2, "answer_start": [start] * 2}
        if unanswerable and number % 2:
            answers = {"text": [], "answer_start": []}
        return {
            "id": f"{split}-{number}", "title": "made", "context": context, "question": text(chance), "answers": answers,
        }  # fmt: skip

    return make


def pair(one: str, other: str, texts: Sequence[Callable[[random.Random], str]]) -> Callable[..., Row]:
    def make(chance: random.Random, split: str, number: int) -> Row:
        return {"translation": {one: texts[0](chance), other: texts[1](chance)}}

    return make


def rows(make: Callable[..., Row], splits: Sequence[str], seed: str) -> dict[str, list[Row]]:
    chance = random.Random(seed)
    return {split: [make(chance, split, number) for number in range(ROWS[split])] for split in splits}


def write(path: Path, content: Sequence[Row], features: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [{name: row[name] for name in features} for row in content]
    Dataset.from_list(kept, features=Features(features)).to_parquet(path)


def card(folder: Path, configs: Mapping[str, tuple[str, Sequence[str]]]) -> None:
    """README.md that declares configuration -> (folder, splits), as the Hub's do."""
    declared = [
        {"config_name": name, "data_files": [{"split": split, "path": f"{base}/{split}-*"} for split in splits]}
        for name, (base, splits) in configs.items()
    ]
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump({'configs': declared}, sort_keys=False)}---\n# made up\n")


def parquet(
    root: Path, repo: str, configs: Mapping[str, tuple[Callable[..., Row], Mapping[str, Any]]], splits: Sequence[str]
) -> None:
    """A repository as most are: `<config>/<split>-00000-of-00001.parquet` (`data/` for the configuration `default`)."""
    folder = root / "datasets" / repo / "main"
    for name, (make, features) in configs.items():
        base = "data" if name == "default" else name
        for split, content in rows(make, splits, repo + name).items():
            write(folder / base / f"{split}-00000-of-00001.parquet", content, features)
    card(folder, {name: ("data" if name == "default" else name, splits) for name in configs})


def converted(
    root: Path, repo: str, config: str, make: Callable[..., Row], features: Mapping[str, Any], splits: Sequence[str],
    extra: Sequence[Row] = (),
) -> None:  # fmt: skip
    """A repository with a loading script, and the Hub's conversion of it beside."""
    main = root / "datasets" / repo / "main"
    main.mkdir(parents=True)
    (main / f"{repo.partition('/')[2]}.py").write_text("# a loading script\n")
    (main / "README.md").write_text("---\nlanguage:\n- en\n---\n")
    for split, content in rows(make, splits, repo).items():
        path = root / "datasets" / repo / CONVERTED / config / split / "0000.parquet"
        write(path, [*content, *(extra if split == "train" else ())], features)


def make_data(root: Path) -> None:
    """All repositories of the suite below `root`."""
    three, two = ("train", "validation", "test"), ("train", "validation")

    def english(chance: random.Random) -> Row:
        return {"sentence": sentence(chance), "text": sentence(chance)}

    def both(chance: random.Random) -> Row:
        return {"sentence1": sentence(chance), "sentence2": sentence(chance)}

    def labelled(text: str, names: Sequence[str], index: bool = True) -> dict[str, Any]:
        return {text: TEXT, "label": ClassLabel(names=list(names)), **({"idx": WHOLE} if index else {})}

    polar, moods = ["negative", "positive"], ["negative", "neutral", "positive"]
    parquet(root, "stanfordnlp/sst2", {"default": (classes(polar, english, True), labelled("sentence", polar))}, three)
    joy = ["anger", "joy", "optimism", "sadness"]
    parquet(
        root, "cardiffnlp/tweet_eval",
        {"emotion": (classes(joy, english), labelled("text", joy, False)),
         "sentiment": (classes(moods, english), labelled("text", moods, False))}, three,
    )  # fmt: skip
    # No README.md, digests in the files' names, labels that are plain numbers.
    for split, content in rows(classes(polar, lambda c: {"text": chinese(c)}), three, "chn").items():
        path = root / f"datasets/lansinuote/ChnSentiCorp/main/data/{split}-00000-of-00001-02f200ca5f2a7868.parquet"
        write(path, content, {"text": TEXT, "label": Value("int64")})
    topics = ["World", "Sports", "Business", "Sci/Tech"]
    parquet(
        root, "fancyzhx/ag_news", {"default": (classes(topics, english), labelled("text", topics, False))},
        ("train", "test"),
    )  # fmt: skip
    coarse = ["ABBR", "ENTY", "DESC", "HUM", "LOC", "NUM"]

    def asked(chance: random.Random, split: str, number: int) -> Row:
        return {"text": sentence(chance) + " ?", "coarse_label": number % 6, "fine_label": 0}

    features = {"text": TEXT, "coarse_label": ClassLabel(names=coarse), "fine_label": ClassLabel(names=["ABBR:abb"])}
    converted(root, "CogComp/trec", "default", asked, features, ("train", "test"))
    glue = {
        "cola": (classes(polar, english, True), labelled("sentence", ["unacceptable", "acceptable"])),
        **{
            name: (
                classes(names, both, name == "rte"),
                {"sentence1": TEXT, "sentence2": TEXT, "label": ClassLabel(names=names), "idx": WHOLE},
            )
            for name, names in (
                ("mrpc", ["not_equivalent", "equivalent"]),
                ("rte", ["entailment", "not_entailment"]),
            )
        },
    }
    parquet(root, "nyu-mll/glue", glue, three)
    codes = [str(code) for code in range(100, 117) if code not in (105, 111)]
    news = (classes(codes, lambda c: {"sentence": chinese(c)}, True), labelled("sentence", codes))
    parquet(root, "clue/clue", {"iflytek": news, "tnews": news}, three)

    def tagged(kinds: Sequence[str]) -> ClassLabel:
        return ClassLabel(names=["O", *(f"{letter}-{kind}" for kind in kinds for letter in "BI")])

    def words(chance: random.Random) -> list[str]:
        return [*sentence(chance).split(), "."]

    conll = tags(TYPES, words)

    def with_documents(chance: random.Random, split: str, number: int) -> Row:
        row = conll(chance, split, number)
        none = [0] * len(row["tokens"])
        return {**row, "document_id": number // 5, "sentence_id": number % 5, "pos_tags": none, "chunk_tags": none}

    parquet(
        root, "tomaarsen/conll2003",
        {"default": (with_documents, {
            "id": TEXT, "document_id": WHOLE, "sentence_id": WHOLE, "tokens": Many(TEXT),
            "pos_tags": Many(ClassLabel(names=["NN"])), "chunk_tags": Many(ClassLabel(names=["O"])),
            "ner_tags": Many(tagged(TYPES)),
        })}, three,
    )  # fmt: skip
    kinds = ["corporation", "creative-work", "group", "location", "person", "product"]
    features = {"id": TEXT, "tokens": Many(TEXT), "ner_tags": Many(tagged(kinds))}
    converted(root, "leondz/wnut_17", "wnut_17", tags(kinds, words), features, three)
    features = {"id": TEXT, "tokens": Many(TEXT), "ner_tags": Many(tagged(TYPES[:3]))}
    # The loading script yields one sentence without words at the end of each file.
    converted(
        root, "levow/msra_ner", "msra_ner", tags(TYPES[:3], lambda c: list(chinese(c))), features, ("train", "test"),
        [{"id": "60", "tokens": [], "ner_tags": []}],
    )  # fmt: skip
    answers = Many({"text": TEXT, "answer_start": WHOLE})
    columns = {"id": TEXT, "title": TEXT, "context": TEXT, "question": TEXT, "answers": answers}
    parquet(root, "rajpurkar/squad", {"plain_text": (question(sentence), columns)}, two)
    parquet(root, "rajpurkar/squad_v2", {"squad_v2": (question(sentence, True), columns)}, two)
    columns = {name: feature for name, feature in columns.items() if name != "title"}
    parquet(root, "hfl/cmrc2018", {"default": (question(chinese), columns)}, three)

    folder = root / "datasets/bentrevett/multi30k/main"
    folder.mkdir(parents=True)
    for split, content in rows(pair("en", "de", [sentence, sentence]), three, "multi30k").items():
        lines = "".join(json.dumps(row["translation"]) + "\n" for row in content)
        (folder / f"{split.replace('validation', 'val')}.jsonl").write_text(lines)
    (folder / "README.md").write_text("---\ntask_categories:\n- translation\nlanguage:\n- en\n- de\n---\n")

    def translation(one: str, other: str, texts: Sequence[Callable[[random.Random], str]]) -> Any:
        return pair(one, other, texts), {"translation": Translation([one, other])}

    latin = [sentence, sentence]
    pairs = {"cs-en": translation("cs", "en", latin), "ro-en": translation("ro", "en", latin)}
    parquet(root, "wmt/wmt16", pairs, three)
    mixed = {"en-yi": translation("en", "yi", latin), "en-zh": translation("en", "zh", [sentence, chinese])}
    parquet(root, "Helsinki-NLP/opus-100", mixed, three)
