"""The entry points of the suite `standard`: its tasks, its file, and published scores.

Each task names a repository with data as parquet or JSON lines. No commit is pinned: records name the one that a run
resolved. If a repository has only a loading script, the data come from `refs/convert/parquet`, the Hub's own
conversion.
"""

from __future__ import annotations

from pathlib import Path

from harness.data.source import HubSource
from harness.task import Task

CONVERTED = "refs/convert/parquet"
# The test splits of GLUE and SQuAD are hidden or missing. Everybody reports scores on validation, so that is the test split
# here, and a fifth of train is held out for selection.
DEV_AS_TEST = {"train": "train", "test": "validation"}
_DEV = "test is the validation split, as everybody reports it; selection on a held-out fifth of train"

_PAIR = {"text": "sentence1", "text_pair": "sentence2", "label": "label"}
_TOKENS = {"words": "tokens", "tags": "ner_tags"}
# Questions on the same text stay in the same split.
_QUESTIONS = {"id": "id", "question": "question", "context": "context", "answers": "answers", "group": "context"}
_TNEWS = {
    "100": "story", "101": "culture", "102": "entertainment", "103": "sports", "104": "finance", "106": "house",
    "107": "car", "108": "education", "109": "technology", "110": "military", "112": "travel", "113": "world",
    "114": "stock", "115": "agriculture", "116": "game",
}  # fmt: skip


def _converted(*splits: str) -> dict[str, str]:
    """The files of a converted repository with a single configuration: a folder of any name with a folder for each split."""
    return {split: f"*/{split}/*.parquet" for split in splits}


TASKS = [
    Task(
        "sst2", "sentiment", HubSource("stanfordnlp/sst2", splits=DEV_AS_TEST),
        columns={"text": "sentence", "label": "label"}, labels=("negative", "positive"),
        description=f"film reviews, two classes (Socher et al. 2013, GLUE); {_DEV}",
    ),
    Task(
        "tweet-sentiment", "sentiment", HubSource("cardiffnlp/tweet_eval", config="sentiment"),
        columns={"text": "text", "label": "label"}, labels=("negative", "neutral", "positive"),
        description="tweets, three classes (Rosenthal et al. 2017, in TweetEval)",
    ),
    Task(
        "chnsenticorp", "sentiment", HubSource("lansinuote/ChnSentiCorp"),
        columns={"text": "text", "label": "label"}, labels=("negative", "positive"), options={"language": "zh"},
        description="Chinese reviews of hotels, books and notebooks, two classes",
    ),
    Task(
        "ag_news", "text-classification", HubSource("fancyzhx/ag_news"),
        columns={"text": "text", "label": "label"},
        description="news, four topics (Zhang et al. 2015); selection on a held-out fifth of train",
    ),
    Task(
        "trec", "text-classification", HubSource("CogComp/trec", CONVERTED, data_files=_converted("train", "test")),
        columns={"text": "text", "label": "coarse_label"},
        description="questions, six kinds of answer (Li & Roth 2002); selection on a held-out fifth of train",
    ),
    Task(
        "mrpc", "text-classification", HubSource("nyu-mll/glue", config="mrpc", splits=DEV_AS_TEST), columns=_PAIR,
        description=f"pairs of sentences, paraphrase or not (Dolan & Brockett 2005, GLUE); {_DEV}",
    ),
    Task(
        "rte", "text-classification", HubSource("nyu-mll/glue", config="rte", splits=DEV_AS_TEST), columns=_PAIR,
        description=f"pairs of sentences, entailment or not (GLUE); {_DEV}",
    ),
    Task(
        "tnews", "text-classification", HubSource("clue/clue", config="tnews", splits=DEV_AS_TEST),
        columns={"text": "sentence", "label": "label"}, labels=_TNEWS, options={"language": "zh"},
        description=f"Chinese headlines, 15 topics (CLUE, Xu et al. 2020); {_DEV}",
    ),
    Task(
        "conll2003", "ner", HubSource("tomaarsen/conll2003"), columns=_TOKENS,
        description="news, persons, organisations, places and others (Tjong Kim Sang & De Meulder 2003); one sentence at a time",
    ),
    Task(
        "wnut17", "ner", HubSource("leondz/wnut_17", CONVERTED, data_files=_converted("train", "validation", "test")),
        columns=_TOKENS, description="user-generated text, names that are new and rare (Derczynski et al. 2017)",
    ),
    Task(
        "msra_ner", "ner", HubSource("levow/msra_ner", CONVERTED, data_files=_converted("train", "test")),
        columns=_TOKENS, options={"language": "zh"},
        description="Chinese news by character, persons, organisations and places (Levow 2006); selection on a held-out fifth of train",
    ),
    Task(
        "squad", "qa", HubSource("rajpurkar/squad", splits=DEV_AS_TEST), columns=_QUESTIONS,
        description=f"questions on Wikipedia (Rajpurkar et al. 2016); {_DEV}",
    ),
    Task(
        "squad_v2", "qa", HubSource("rajpurkar/squad_v2", splits=DEV_AS_TEST), columns=_QUESTIONS,
        options={"unanswerable": True},
        description=f"questions on Wikipedia, half of dev without an answer (Rajpurkar et al. 2018); {_DEV}",
    ),
    Task(
        "cmrc2018", "qa", HubSource("hfl/cmrc2018", splits=DEV_AS_TEST), columns=_QUESTIONS,
        options={"language": "zh", "unit": "character"},
        description=f"questions on Chinese Wikipedia, scored by character (Cui et al. 2019); {_DEV}",
    ),
    Task(
        "multi30k-en-de", "translation", HubSource("bentrevett/multi30k"), columns={"source": "en", "target": "de"},
        options={"source_language": "en", "target_language": "de"},
        description="captions of pictures, English to German (Elliott et al. 2016); test is that of 2016",
    ),
    Task(
        "wmt16-en-ro", "translation", HubSource("wmt/wmt16", config="ro-en"), columns={"source": "en", "target": "ro"},
        options={"source_language": "en", "target_language": "ro"},
        description="news, English to Romanian (Bojar et al. 2016); 610,000 pairs to train on, so consider --limit",
    ),
    Task(
        "opus100-en-zh", "translation", HubSource("Helsinki-NLP/opus-100", config="en-zh"),
        columns={"source": "en", "target": "zh"}, options={"source_language": "en", "target_language": "zh"},
        description="many kinds of text, English to Chinese (Zhang et al. 2020); a million pairs to train on, so consider --limit",
    ),
]  # fmt: skip

SUITE = Path(__file__).with_name("suite.yaml")
PUBLISHED = Path(__file__).with_name("published.yaml")
