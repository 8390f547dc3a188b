"""Find the data files in a folder, an archive or a pattern, and tell their formats and splits by their names."""

from __future__ import annotations

import fnmatch
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.data.compressed import ENDINGS as COMPRESSED
from harness.data.compressed import INSIDE, list_zip, split_member
from harness.data.splits import ALIASES, SPLITS, canonical_split
from harness.errors import BenchError

CONLL_ENDINGS = (".conll", ".bio", ".iob", ".iob1", ".iob2", ".bmes", ".bioes", ".iobes", ".bilou")
# File ending → the formats that such a file may have, the likeliest first.
ENDINGS: dict[str, tuple[str, ...]] = {
    ".csv": ("csv",),
    ".tsv": ("tsv", "pairs", "conll"),
    ".tab": ("tsv", "pairs", "conll"),
    ".jsonl": ("jsonl",),
    ".ndjson": ("jsonl",),
    ".json": ("json", "jsonl", "squad"),
    ".parquet": ("parquet",),
    ".arrow": ("arrow",),
    ".feather": ("arrow",),
    ".xlsx": ("xlsx",),
    **dict.fromkeys(CONLL_ENDINGS, ("conll",)),
    ".label": ("labelled",),
    ".tmx": ("tmx",),
    ".txt": ("conll", "pairs", "labelled"),
}
# Files that accompany data but are not data, including the metadata of `datasets`.
NO_DATA = re.compile(
    r"(readme|licen[cs]e|copying|notice|changelog|classes|labels|label_map|vocab|dataset_infos?|dataset_dict|state|cc-by)"
    r"([^a-z].*)?",
    re.IGNORECASE,
)
# The sample files with which Kaggle shows how to submit predictions.
SUBMISSION = re.compile(
    r"((sample|example|gender)[-_ ]?)submissions?([^a-z].*)?|submissions?([-_ ]?(format|template|example|sample))?([^a-z].*)?",
    re.IGNORECASE,
)
PARTITION = re.compile(r"[A-Za-z_]\w*=.+")  # a folder whose name holds a column: label=pos
MOST = 50_000  # folder entries that one search looks at
TEXTS = 2  # least number of text files in the folder of a class


def endings(path: Path) -> list[str]:
    """Return the endings of a file name, last first, without that of its compression: `[".bmes", ".char"]`."""
    suffixes = [suffix.lower() for suffix in reversed(Path(split_member(path)[1] or path).suffixes)]
    return suffixes[1:] if suffixes and suffixes[0] in COMPRESSED else suffixes


def formats(path: Path) -> tuple[str, ...]:
    """Return the formats that a file may have by its endings; none if no ending is known.

    `.txt` says least: in `wikigold.conll.txt` the ending before it counts.
    """
    known = [ENDINGS[ending] for ending in endings(path) if ending in ENDINGS]
    if len(known) > 1 and endings(path)[0] == ".txt":
        return known[1]
    return known[0] if known else ()


def is_data(path: Path) -> bool:
    """Whether a file is data by its name: its ending is known, and it is not a file such as a README."""
    return bool(formats(path)) and _may_be_data(path)


def _may_be_data(path: Path) -> bool:
    return not NO_DATA.fullmatch(path.name) and not SUBMISSION.fullmatch(path.name)


class _Search:
    """A search through folders that looks at no more than `MOST` entries."""

    def __init__(self, root: Path):
        self.root, self.seen = root, 0

    def entries(self, folder: Path) -> list[Path]:
        """Return the entries of a folder by name, without hidden ones.

        Raises:
            BenchError: The search has seen more than `MOST` entries, or its root cannot be read.
        """
        paths = []
        try:
            with os.scandir(folder) as listing:
                for entry in listing:
                    self.seen += 1
                    if self.seen > MOST:
                        raise BenchError(
                            f"{self.root}: more than {MOST:,} files and folders to look at, and the search ends there; name the "
                            "files, or a folder with fewer of them, or put the rows into one file"
                        )
                    if not entry.name.startswith("."):
                        paths.append(folder / entry.name)
        except OSError as error:
            if folder == self.root:
                raise BenchError(f"{folder}: cannot be looked into ({error.strerror})") from None
        return sorted(paths)

    def matches(self, base: Path, parts: Sequence[str]) -> Iterator[Path]:
        """Yield the paths below `base` that match the parts of a pattern. `**` does not follow links to folders."""
        part, *rest = parts
        if part == "**":
            yield from self.matches(base, rest or ["*"])
            for entry in self.entries(base):
                if entry.is_dir() and not entry.is_symlink():
                    yield from self.matches(entry, parts)
        elif not any(sign in part for sign in "*?["):
            entry = base / part
            if entry.exists():
                yield from self.matches(entry, rest) if rest else [entry]
        else:
            matches_name = re.compile(fnmatch.translate(part)).match
            for entry in self.entries(base) if base.is_dir() else ():
                if matches_name(entry.name):
                    yield from (self.matches(entry, rest) if entry.is_dir() else ()) if rest else [entry]


def matching(pattern: Path) -> list[Path]:
    """Return the files that match a pattern such as `train-*.jsonl.gz` or `**/*.csv`, by name.

    Raises:
        BenchError: The search sees more than `MOST` entries, or the names of folders hold a column.
    """
    base, parts = Path(pattern.anchor), list(pattern.parts[1:] if pattern.anchor else pattern.parts)
    paths = sorted({path for path in _Search(pattern).matches(base, parts) if path.is_file()}) if parts else []
    check_partitions(paths, pattern)
    return paths


def entries(folder: Path) -> list[Path]:
    """Return the entries of a folder by name, without hidden ones."""
    return _Search(folder).entries(folder)


def files_in(folder: Path) -> list[Path]:
    """Return the data files of a folder by name, or those of its subfolders if it has none itself.

    Raises:
        BenchError: The search sees more than `MOST` entries, or the names of folders hold a column.
    """
    search = _Search(folder)
    top = search.entries(folder)
    files = [path for path in top if path.is_file() and _may_be_data(path)]
    if any(map(formats, files)):
        return files
    below = [path for subfolder in top if subfolder.is_dir() for path in search.entries(subfolder)]
    if files and not below:
        return files
    check_partitions(below or top, folder)
    return [path for path in below if path.is_file() and _may_be_data(path)]


def check_partitions(paths: Sequence[Path], where: Path) -> None:
    """Raise an error if a folder name holds a column, as in the partitions of Hive and Spark: it would be lost."""
    known = set(where.parts)
    for path in paths:
        partition = next((part for part in path.parts if part not in known and PARTITION.fullmatch(part)), None)
        if partition and (path.is_dir() or path.name != partition):
            column = partition.partition("=")[0]
            raise BenchError(
                f"{where}: folders such as {partition} hold the column {column} in their names, which is not read; write it into "
                "the files: with pandas, read_parquet('FOLDER').to_parquet('all.parquet')"
            )


def unused(folder: Path, used: Sequence[Path]) -> list[str]:
    """Return the entries of a folder (or zip archive) that may hold data by their names and are not among the used paths."""
    if folder.is_file():
        used_members = {split_member(path)[1] for path in used}
        return [
            name
            for name in list_zip(folder)
            if name not in used_members and not NO_DATA.fullmatch(name.rpartition("/")[2])
        ]
    used_paths = {folder, *used, *(parent for path in used for parent in path.parents)}
    rest = [path for path in entries(folder) if path not in used_paths and not NO_DATA.fullmatch(path.name)]
    return [f"{path.name}/" if path.is_dir() else path.name for path in rest]


def class_folders(folder: Path) -> list[Path]:
    """Return sibling folders that each hold one text per file, such as `pos` and `neg`; none of them is named like a split."""
    search = _Search(folder)
    level = [folder]
    for _ in range(3):
        subfolders = [[path for path in search.entries(parent) if path.is_dir()] for parent in level]
        for siblings in subfolders:
            classes = [
                path for path in siblings if split_of(Path(path.name)) is None and _only_texts(search.entries(path))
            ]
            if len(classes) > 1:
                return classes
        level = [path for siblings in subfolders for path in siblings]
    return []


def _only_texts(files: Sequence[Path]) -> bool:
    return len(files) >= TEXTS and all(path.suffix.lower() in (".txt", "") and path.is_file() for path in files)


def members_of(archive: Path) -> list[Path]:
    """Return the files in a zip archive as paths `archive.zip!member`, without those that are not data by their names."""
    prefix = f"{archive}{INSIDE.removeprefix('.zip')}"
    return [Path(prefix + name) for name in list_zip(archive) if _may_be_data(Path(name))]


def of_format(folder: Path, format: str) -> list[Path]:
    """Return the files of a folder that may have a format by their endings, or raise an error if there are none."""
    files = files_in(folder)
    matches = [path for path in files if format in formats(path)]
    if not matches:
        names = ", ".join(path.name for path in files[:5]) or "nothing"
        valid = ", ".join(ending for ending, kinds in ENDINGS.items() if format in kinds) or "any: name the files"
        raise BenchError(f"{folder}: a folder without data of format {format} ({valid}); there is {names}")
    return matches


def split_of(path: Path) -> str | None:
    """Return the split that a file name contains (`dev.char.bmes`, `DRCD_test.json`) or that its folder is named after."""
    name = path.name.rpartition("!")[2].lower()
    for word in (*re.split(r"[^a-z]+", name), path.parent.name.rpartition("!")[2].lower()):
        if word in SPLITS or word in ALIASES:
            return canonical_split(word)
    return None


def series(path: Path) -> tuple[Path, str]:
    """Return what the shards of a file have in common: their names differ in numbers only."""
    return path.parent, re.sub(r"\d+", "0", path.name)


def by_split(paths: Sequence[Path], where: str) -> dict[str, list[Path]]:
    """Group files by the split in their names; `all` for a single file and for files whose names contain no split.

    Several files of one split must be shards. If there is no file for training, that of validation takes its place, because
    a validation split can be cut from it.

    Raises:
        BenchError: Files of one split are not shards, or only some files have a split in their names.
    """
    files: dict[str, list[Path]] = defaultdict(list)
    unnamed = []
    for path in paths:
        split = split_of(path)
        (unnamed if split is None else files[split]).append(path)
    if len(paths) == 1 or not files:
        return {"all": list(paths)}
    example = ", ".join(f"{name}: {files[name][0].name}" for name in SPLITS if name in files)
    cure = f"name the ones to use in a task file: files: {{{example}}}"
    if unnamed:
        raise BenchError(f"{where}: {', '.join(path.name for path in unnamed)}: of which split, by its name? Or {cure}")
    for split, shards in files.items():
        if len(set(map(series, shards))) > 1:
            names = ", ".join(path.name for path in shards)
            raise BenchError(f"{where}: {len(shards)} files for {split} ({names}); {cure}")
    if "train" not in files:
        substitute = files.pop("validation" if "validation" in files else "test")
        files["train" if files else "all"] = substitute
    return {split: files[split] for split in (*SPLITS, "all") if split in files}
