"""Data sets of the Hugging Face Hub. Nothing is imported or asked before a source is resolved or read."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from harness.data.splits import ALIASES, SPLITS, canonical_split
from harness.errors import BenchError, unknown

Rows = dict[str, list[dict[str, Any]]]
PAUSES = (1, 5)  # seconds before the second and the third try


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
        commit = _commit(self.repo, self.revision)
        import datasets  # seconds, hence here

        try:
            builder = _patiently(partial(self._builder, commit))
            # When the Hub fails, `datasets` takes whatever copy it cached last, of any revision, without an error.
            if not self.data_files and builder.hash != commit:
                raise BenchError(
                    f"{self.describe()}: commit {commit} cannot be had, only a cached copy of {builder.hash}; "
                    "is the Hub reachable, and does the repository hold data files (no script) at this revision?"
                )
            _patiently(builder.download_and_prepare)
            return {
                ours: _plain(builder.as_dataset(split=theirs))
                for ours, theirs in self._chosen(list(builder.info.splits)).items()
            }
        except (datasets.exceptions.DatasetsError, ValueError, RuntimeError, OSError) as error:
            message = " ".join(str(error).split())
            raise BenchError(f"{self.describe()}: cannot be loaded ({type(error).__name__}: {message})") from error

    def _builder(self, commit: str) -> Any:
        from datasets import load_dataset_builder
        from huggingface_hub import snapshot_download

        if not self.data_files:
            return load_dataset_builder(self.repo, self.config, revision=commit)
        # Fetched first, since offline `datasets` does not find what it cached for files that were named.
        files = {split: [entry] if isinstance(entry, str) else list(entry) for split, entry in self.data_files.items()}
        patterns = ["README.md", *(pattern for entries in files.values() for pattern in entries)]
        folder = snapshot_download(self.repo, repo_type="dataset", revision=commit, allow_patterns=patterns)
        return load_dataset_builder(folder, self.config, data_files=files)

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
    import huggingface_hub
    from huggingface_hub import errors

    name = f"{repo}@{revision or 'main'}"
    try:
        resolve = partial(huggingface_hub.resolve_revision, repo, repo_type="dataset", revision=revision)
        return _patiently(resolve).resolved
    except errors.GatedRepoError as error:
        raise BenchError(f"{name}: a gated data set; accept its terms on its page and set HF_TOKEN") from error
    except errors.RepositoryNotFoundError as error:
        raise BenchError(
            f"{name}: no such data set on the Hub, or a private one; check the name, or set HF_TOKEN"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BenchError(f"{name}: the data set has no such revision; check its branches and tags") from error
    except (errors.RevisionResolutionError, errors.HfHubHTTPError) as error:
        message = " ".join(str(error).split())
        raise BenchError(f"{name}: the Hub cannot be reached and nothing is cached; try again ({message})") from error


def _patiently(action: Callable[[], Any]) -> Any:
    """The action's result, tried again after a pause where the Hub is the one that failed (status 5xx).

    The clients repeat some requests themselves, but neither a repository's information nor a download.
    """
    from huggingface_hub.errors import HfHubHTTPError

    for pause in PAUSES:
        try:
            return action()
        except Exception as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, HfHubHTTPError):
                cause = cause.__cause__ or cause.__context__
            if cause is None or cause.response.status_code < 500:
                raise
            time.sleep(pause)
    return action()


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
                row.update(raw[name])
            else:
                row[name] = convert(raw[name], feature)
        rows.append(row)
    return rows
