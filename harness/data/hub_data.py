"""Data sets of the Hugging Face Hub. Creating a source neither imports `datasets` nor sends a request."""

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
from harness.data.readers.arrow import convert_row
from harness.data.splits import ALIASES, SPLITS, canonical_split
from harness.errors import BenchError, HubError, unknown
from harness.hub import resolve_commit, with_retries

Rows = dict[str, list[dict[str, Any]]]
MAX_MESSAGE = 400  # characters shown of a library's error; some list every file ending there is
# Parts of the messages of `datasets` when it falls back to a cache without the data; it has no error class for that.
NOT_CACHED, UNFINISHED = "Couldn't find cache for", ".incomplete"


@dataclass(frozen=True)
class HubSource:
    """A repository of parquet, JSON or CSV files on the Hub. Loading scripts are not run.

    Attributes:
        repo: `owner/name`.
        revision: Branch, tag, `refs/...` or commit; None for the main branch. `pinned()` turns it into a commit.
        config: The configuration, if the repository has several.
        splits: Our split → the repository's (`{"test": "validation"}`), or a slice such as `train[:80%]`. If empty, those
            named train, validation (or dev, ...) and test are used.
        data_files: Split → path or pattern inside the repository, for one that declares no splits.
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
        """Return the source at a commit, resolved by the Hub or, if that cannot be reached, by the cache."""
        return replace(self, revision=_commit(self.repo, self.revision))

    def fingerprint(self) -> str:
        parts = [f"{self.repo}@{_commit(self.repo, self.revision)}", self.config, dict(self.splits), self.data_files]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def describe(self) -> str:
        config = f" ({self.config})" if self.config else ""
        return f"{self.repo}@{self.revision or 'main'}{config}"

    def read(self, report: dict[str, Any] | None = None) -> Rows:
        """Return the rows of each split. Class labels are names (None for hidden ones, -1); translations are flat columns."""
        builder = self._prepare()
        try:
            return {
                split: _plain(builder.as_dataset(split=source))
                for split, source in self._choose_splits(list(builder.info.splits)).items()
            }
        except (ValueError, OSError) as error:
            raise self._load_error(error) from error

    def fetch(self) -> tuple[int, int]:
        """Download the data into the cache, so that `read` needs no network. Return the numbers of files and bytes."""
        builder = self._prepare()
        paths = [self._local(path) for path in files_of(builder)] or [*Path(builder.cache_dir).iterdir()]
        return len(paths), sum(path.stat().st_size for path in paths)

    def _local(self, path: str) -> Path:
        """Return the local path of a data file; `hf://datasets/owner/name@commit/file` is downloaded into the cache first."""
        from huggingface_hub import hf_hub_download

        if not path.startswith("hf://"):
            return Path(path)
        commit, _, name = path.rpartition("@")[2].partition("/")
        return Path(hf_hub_download(self.repo, name, repo_type="dataset", revision=commit))

    def _prepare(self) -> Any:
        """Return the `datasets` builder with its data in the cache."""
        commit = _commit(self.repo, self.revision)
        import datasets  # takes seconds

        what = f"data set {self.describe()!r}"
        try:
            with self._lock():
                builder = with_retries(partial(self._builder, commit), what)
                if unpacks(builder) and not Path(builder.cache_dir).is_dir():  # not prepared before
                    paths = [with_retries(partial(self._local, path), what) for path in files_of(builder)]
                    check_sizes(paths, self.describe())
                with_retries(builder.download_and_prepare, what)
            return builder
        except (datasets.exceptions.DatasetsError, ValueError, RuntimeError, OSError) as error:
            raise self._load_error(error) from error

    def _lock(self) -> AbstractContextManager[Any]:
        """Return a lock so that of the cells that start together one downloads the data and the others find it in the cache.

        `datasets` locks the cached files of a configuration, but it reads the unfinished folders of other processes.
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
            # If the Hub fails, `datasets` silently takes the copy that it cached last, of any revision, and does not find the
            # configuration if only others are cached.
            try:
                builder = load_dataset_builder(self.repo, self.config, revision=commit)
            except (ValueError, FileNotFoundError) as error:
                if not str(error).startswith(NOT_CACHED) and UNFINISHED not in str(error):
                    raise
                cached = "a cached copy of something else"
            else:
                if builder.hash == commit:
                    check_builder(builder, f"hf://datasets/{self.repo}@{commit}/", self.describe())
                    return builder
                cached = f"a cached copy of {builder.hash}"
            raise HubError(
                f"{self.describe()}: commit {commit} cannot be had, only {cached}; "
                "is the Hub reachable, and does the repository hold data files (no script) at this revision?",
                temporary=not constants.HF_HUB_OFFLINE,
            )
        # Downloaded first: offline, `datasets` does not find what it cached for named files.
        files = {split: [entry] if isinstance(entry, str) else list(entry) for split, entry in self.data_files.items()}
        patterns = ["README.md", *(pattern for entries in files.values() for pattern in entries)]
        folder = snapshot_download(self.repo, repo_type="dataset", revision=commit, allow_patterns=patterns)
        builder = load_dataset_builder(folder, self.config, data_files=files)
        check_builder(builder, f"{folder}/", self.describe())
        return builder

    def _load_error(self, error: Exception) -> BenchError:
        message = " ".join(str(error).split())
        if "gated" in message:  # `datasets` keeps nothing else of the Hub's answer
            return HubError(f"data set {self.describe()!r} is gated: ask for access on its page, then set HF_TOKEN")
        short = message[:MAX_MESSAGE] + "…" if len(message) > MAX_MESSAGE else message
        return BenchError(f"{self.describe()}: cannot be loaded ({type(error).__name__}: {short})")

    def _choose_splits(self, available: list[str]) -> dict[str, str]:
        """Return our split → the repository's."""
        for source in self.splits.values():
            if source.split("[")[0] not in available:
                raise unknown("split", source, available, where=self.describe())
        if self.splits:
            return {canonical_split(split): source for split, source in self.splits.items()}
        if len(available) == 1:
            return {"all": available[0]}
        usual = [name for name in available if name in SPLITS or name in ALIASES]
        chosen = {canonical_split(name): name for name in usual}
        if len(chosen) < len(usual) or "train" not in chosen:
            raise BenchError(
                f"{self.describe()}: which split is which? Say `splits: {{train: ...}}`; it has {', '.join(available)}"
            )
        return chosen


def _commit(repo: str, revision: str | None) -> str:
    return with_retries(partial(resolve_commit, repo, "dataset", revision), f"data set '{repo}@{revision or 'main'}'")


def _plain(dataset: Any) -> list[dict[str, Any]]:
    """Return the rows of a `datasets.Dataset` as plain values."""
    features = dataset.features.to_dict()
    return [convert_row(row, features) for row in dataset.to_list()]
