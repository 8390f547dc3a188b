"""Data sets of the Hugging Face Hub. Nothing is imported or asked before a source is resolved or read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.data.hub_files import check_builder, check_names, check_sizes, files_of, unpacks
from harness.data.splits import ALIASES, SPLITS, canonical_split
from harness.errors import BenchError, HubError, unknown
from harness.hub import resolve_commit, with_retries

Rows = dict[str, list[dict[str, Any]]]
LONGEST = 400  # characters of a library's message that are told: some list every ending there is
# What `datasets` says where it falls back to a cache that does not have the data, for want of an error of its own.
NOT_CACHED, UNFINISHED = "Couldn't find cache for", ".incomplete"


@dataclass(frozen=True)
class HubSource:
    """A repository of parquet, JSON or CSV files on the Hub (loading scripts are not run).

    Attributes:
        repo: `owner/name`.
        revision: branch, tag, `refs/...` or commit; None: the main branch. `pinned()` turns it into a commit.
        config: the configuration, for repositories that have several.
        splits: our split -> the repository's (`{"test": "validation"}`, slices such as `train[:80%]` too); empty: those
            that are called train, validation (or dev, ...) and test.
        data_files: split -> path or pattern inside the repository, for one that declares no splits.
    """

    repo: str
    revision: str | None = None
    config: str | None = None
    splits: Mapping[str, str] = field(default_factory=dict)
    data_files: Mapping[str, str | list[str]] | None = None

    def __post_init__(self) -> None:
        if self.repo.count("/") != 1:
            raise BenchError(f"Hub data set {self.repo!r}: must be owner/name, such as stanfordnlp/sst2")
        for name in self.splits:
            canonical_split(name)
        check_names(self.data_files, f"Hub data set {self.repo!r}")

    def pinned(self) -> HubSource:
        """The same source at a commit. Asks the Hub, or the cache where the Hub cannot be reached."""
        return replace(self, revision=_commit(self.repo, self.revision))

    def fingerprint(self) -> str:
        parts = [f"{self.repo}@{_commit(self.repo, self.revision)}", self.config, dict(self.splits), self.data_files]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> str:
        config = f" ({self.config})" if self.config else ""
        return f"{self.repo}@{self.revision or 'main'}{config}"

    def read(self, report: dict[str, Any] | None = None) -> Rows:
        """Split -> rows. Class labels are names (None where data hide them, as -1); translations are flat columns."""
        builder = self._prepared()
        try:
            return {
                ours: _plain(builder.as_dataset(split=theirs))
                for ours, theirs in self._chosen(list(builder.info.splits)).items()
            }
        except (ValueError, OSError) as error:
            raise self._unusable(error) from error

    def fetch(self) -> tuple[int, int]:
        """Bring the data into the cache, from which `read` takes it without a network; how many files and bytes they are."""
        builder = self._prepared()
        paths = [self._local(path) for path in files_of(builder)] or [*Path(builder.cache_dir).iterdir()]
        return len(paths), sum(path.stat().st_size for path in paths)

    def _local(self, path: str) -> Path:
        """Where a data file lies: `hf://datasets/owner/name@commit/file` in the clients' cache, once fetched; others where they say."""
        from huggingface_hub import hf_hub_download

        if not path.startswith("hf://"):
            return Path(path)
        commit, _, name = path.rpartition("@")[2].partition("/")
        return Path(hf_hub_download(self.repo, name, repo_type="dataset", revision=commit))

    def _prepared(self) -> Any:
        """The `datasets` builder with its data in the cache."""
        commit = _commit(self.repo, self.revision)
        import datasets  # seconds, hence here

        what = f"data set {self.describe()!r}"
        try:
            with self._alone():
                builder = with_retries(partial(self._builder, commit), what)
                if unpacks(builder) and not Path(builder.cache_dir).is_dir():  # else what was prepared then is read
                    paths = [with_retries(partial(self._local, path), what) for path in files_of(builder)]
                    check_sizes(paths, self.describe())
                with_retries(builder.download_and_prepare, what)
            return builder
        except (datasets.exceptions.DatasetsError, ValueError, RuntimeError, OSError) as error:
            raise self._unusable(error) from error

    def _alone(self) -> AbstractContextManager[Any]:
        """Cells that begin together want the same data: one brings them, the others find them in the cache.

        `datasets` locks the cached files of a configuration, but looks into the unfinished folders of other processes.
        """
        from datasets import config
        from filelock import FileLock

        folder = Path(config.HF_DATASETS_CACHE)
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{self.repo.replace('/', '___')}.bench.lock")

    def _builder(self, commit: str) -> Any:
        from datasets import load_dataset_builder
        from huggingface_hub import constants, snapshot_download

        if not self.data_files:
            # When the Hub fails, `datasets` takes whatever copy it cached last, of any revision, without an error, and
            # misses the configuration where only others are cached.
            try:
                builder = load_dataset_builder(self.repo, self.config, revision=commit)
            except (ValueError, FileNotFoundError) as error:
                if not str(error).startswith(NOT_CACHED) and UNFINISHED not in str(error):
                    raise
                there = "a cached copy of something else"
            else:
                if builder.hash == commit:
                    check_builder(builder, f"hf://datasets/{self.repo}@{commit}/", self.describe())
                    return builder
                there = f"a cached copy of {builder.hash}"
            raise HubError(
                f"{self.describe()}: commit {commit} cannot be had, only {there}; "
                "is the Hub reachable, and does the repository hold data files (no script) at this revision?",
                temporary=not constants.HF_HUB_OFFLINE,
            )
        # Fetched first, since offline `datasets` does not find what it cached for files that were named.
        files = {split: [entry] if isinstance(entry, str) else list(entry) for split, entry in self.data_files.items()}
        patterns = ["README.md", *(pattern for entries in files.values() for pattern in entries)]
        folder = snapshot_download(self.repo, repo_type="dataset", revision=commit, allow_patterns=patterns)
        builder = load_dataset_builder(folder, self.config, data_files=files)
        check_builder(builder, f"{folder}/", self.describe())
        return builder

    def _unusable(self, error: Exception) -> BenchError:
        message = " ".join(str(error).split())
        if "gated" in message:  # all that `datasets` keeps of the Hub's answer
            return HubError(f"data set {self.describe()!r} is gated: ask for access on its page, then set HF_TOKEN")
        short = message[:LONGEST] + "…" if len(message) > LONGEST else message
        return BenchError(f"{self.describe()}: cannot be loaded ({type(error).__name__}: {short})")

    def _chosen(self, there: list[str]) -> dict[str, str]:
        for theirs in self.splits.values():
            if theirs.split("[")[0] not in there:
                raise unknown("split", theirs, there, where=self.describe())
        if self.splits:
            return {canonical_split(ours): theirs for ours, theirs in self.splits.items()}
        if len(there) == 1:
            return {"all": there[0]}
        usual = [name for name in there if name in SPLITS or name in ALIASES]
        chosen = {canonical_split(name): name for name in usual}
        if len(chosen) < len(usual) or "train" not in chosen:
            raise BenchError(
                f"{self.describe()}: which split is which? Say `splits: {{train: ...}}`; it has {', '.join(there)}"
            )
        return chosen


def _commit(repo: str, revision: str | None) -> str:
    """The commit that a revision stands for."""
    return with_retries(partial(resolve_commit, repo, "dataset", revision), f"data set '{repo}@{revision or 'main'}'")


def _plain(dataset: Any) -> list[dict[str, Any]]:
    """A `datasets.Dataset` as rows of plain values."""
    from datasets import ClassLabel, Translation

    def convert(value: Any, feature: Any) -> Any:
        if value is None:
            return None
        if isinstance(feature, ClassLabel):
            return feature.names[value] if value >= 0 else None
        if isinstance(feature, Mapping):
            # A sequence of structs is stored as a struct of lists.
            return {key: convert(value[key], feature[key]) for key in value}
        inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
        if inner is not None and isinstance(value, list):
            return [convert(item, inner) for item in value]
        return value

    rows = []
    for raw in dataset.to_list():
        row = {}
        for name, feature in dataset.features.items():
            if isinstance(feature, Translation):
                if twice := (row.keys() | raw.keys()) & raw[name].keys():
                    raise ValueError(f"the language {sorted(twice)[0]!r} of {name!r} is the name of a column as well")
                row.update(raw[name])
            else:
                row[name] = convert(raw[name], feature)
        rows.append(row)
    return rows
