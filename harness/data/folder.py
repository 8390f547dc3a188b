"""Which files of a folder (or of a pattern) are data, of which format, and of which split: told by their names."""

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

COLUMNS_OF_TAGS = (".conll", ".bio", ".iob", ".iob1", ".iob2", ".bmes", ".bioes", ".iobes", ".bilou")
# ending -> the formats that a file with it may have, the likeliest first
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
    **dict.fromkeys(COLUMNS_OF_TAGS, ("conll",)),
    ".label": ("labelled",),
    ".tmx": ("tmx",),
    ".txt": ("conll", "pairs", "labelled"),
}
# What lies beside data and is none, `datasets`' own notes included.
NO_DATA = re.compile(
    r"(readme|licen[cs]e|copying|notice|changelog|classes|labels|label_map|vocab|dataset_infos?|dataset_dict|state|cc-by)"
    r"([^a-z].*)?",
    re.IGNORECASE,
)
# What Kaggle lays beside its data to show how predictions are handed in.
SUBMISSION = re.compile(
    r"((sample|example|gender)[-_ ]?)submissions?([^a-z].*)?|submissions?([-_ ]?(format|template|example|sample))?([^a-z].*)?",
    re.IGNORECASE,
)
PARTITION = re.compile(r"[A-Za-z_]\w*=.+")  # a folder that holds a column: label=pos
MOST = 50_000  # entries of folders that one search looks at
TEXTS = 2  # files of text that a folder of a class has at least


def endings(path: Path) -> list[str]:
    """The endings of a file, the last first, without that of its compression: `[".bmes", ".char"]`."""
    found = [suffix.lower() for suffix in reversed(Path(split_member(path)[1] or path).suffixes)]
    return found[1:] if found and found[0] in COMPRESSED else found


def formats(path: Path) -> tuple[str, ...]:
    """The formats that a file may have by its endings; none where no ending is known.

    `.txt` says least: in `wikigold.conll.txt` the ending before it counts.
    """
    known = [ENDINGS[ending] for ending in endings(path) if ending in ENDINGS]
    if len(known) > 1 and endings(path)[0] == ".txt":
        return known[1]
    return known[0] if known else ()


def is_data(path: Path) -> bool:
    """Whether a file is data by its name: of a known ending, and none of those that lie beside data."""
    return bool(formats(path)) and _may_be_data(path)


def _may_be_data(path: Path) -> bool:
    return not NO_DATA.fullmatch(path.name) and not SUBMISSION.fullmatch(path.name)


class _Search:
    """Looks into folders, and into no more than `MOST` entries."""

    def __init__(self, what: Path):
        self.what, self.seen = what, 0

    def entries(self, folder: Path) -> list[Path]:
        """What is in a folder, by name; hidden files and folders are left out.

        Raises:
            BenchError: this search has come to more than `MOST` entries.
        """
        found = []
        try:
            with os.scandir(folder) as there:
                for entry in there:
                    self.seen += 1
                    if self.seen > MOST:
                        raise BenchError(
                            f"{self.what}: more than {MOST:,} files and folders to look at, and the search ends there; name the files, "
                            "or a folder with fewer of them, or put the rows into one file"
                        )
                    if not entry.name.startswith("."):
                        found.append(folder / entry.name)
        except OSError as error:
            if folder == self.what:
                raise BenchError(f"{folder}: cannot be looked into ({error.strerror})") from None
        return sorted(found)

    def matches(self, base: Path, parts: Sequence[str]) -> Iterator[Path]:
        """What the parts of a pattern stand for, below `base`. `**` is any folders in folders, links to folders left out."""
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
            fitting = re.compile(fnmatch.translate(part)).match
            for entry in self.entries(base) if base.is_dir() else ():
                if fitting(entry.name):
                    yield from (self.matches(entry, rest) if entry.is_dir() else ()) if rest else [entry]


def matching(pattern: Path) -> list[Path]:
    """The files that a pattern such as `train-*.jsonl.gz` or `**/*.csv` stands for, by name.

    Raises:
        BenchError: more than `MOST` entries to look at, or folders that hold a column in their names.
    """
    base, parts = Path(pattern.anchor), list(pattern.parts[1:] if pattern.anchor else pattern.parts)
    found = sorted({path for path in _Search(pattern).matches(base, parts) if path.is_file()}) if parts else []
    check_partitions(found, pattern)
    return found


def entries(folder: Path) -> list[Path]:
    """What is in a folder, by name, without what is hidden.

    Raises:
        BenchError: it holds more than `MOST` entries.
    """
    return _Search(folder).entries(folder)


def files_in(folder: Path) -> list[Path]:
    """The data files of a folder by name; those of its own folders where it has none itself.

    Raises:
        BenchError: more than `MOST` entries to look at, or folders that hold a column in their names.
    """
    search = _Search(folder)
    first = search.entries(folder)
    own = [path for path in first if path.is_file() and _may_be_data(path)]
    if any(map(formats, own)):
        return own
    second = [path for inner in first if inner.is_dir() for path in search.entries(inner)]
    if own and not second:
        return own
    check_partitions(second or first, folder)
    return [path for path in second if path.is_file() and _may_be_data(path)]


def check_partitions(paths: Sequence[Path], where: Path) -> None:
    """Make sure that no column stands in the names of folders, as Hive and Spark write them: it would be lost.

    Raises:
        BenchError: one does.
    """
    known = set(where.parts)
    for path in paths:
        column = next((part for part in path.parts if part not in known and PARTITION.fullmatch(part)), None)
        if column and (path.is_dir() or path.name != column):
            name = column.partition("=")[0]
            raise BenchError(
                f"{where}: folders such as {column} hold the column {name} in their names, which is not read; write it into the "
                "files: with pandas, read_parquet('FOLDER').to_parquet('all.parquet')"
            )


def unused(folder: Path, used: Sequence[Path]) -> list[str]:
    """Files and folders of a folder (or zip archive) that hold data, or may, by their names, and are not among those that are used."""
    if folder.is_file():
        members = {split_member(path)[1] for path in used}
        return [
            name for name in list_zip(folder) if name not in members and not NO_DATA.fullmatch(name.rpartition("/")[2])
        ]
    inside = {folder, *used, *(parent for path in used for parent in path.parents)}
    rest = [path for path in entries(folder) if path not in inside and not NO_DATA.fullmatch(path.name)]
    return [f"{path.name}/" if path.is_dir() else path.name for path in rest]


def class_folders(folder: Path) -> list[Path]:
    """Folders side by side, none of them called a split, that hold a text in each of their files: `pos`, `neg`."""
    search = _Search(folder)
    level = [folder]
    for _ in range(3):
        inner = [[path for path in search.entries(one) if path.is_dir()] for one in level]
        for siblings in inner:
            texts = [
                path for path in siblings if split_of(Path(path.name)) is None and _only_texts(search.entries(path))
            ]
            if len(texts) > 1:
                return texts
        level = [path for siblings in inner for path in siblings]
    return []


def _only_texts(files: Sequence[Path]) -> bool:
    return len(files) >= TEXTS and all(path.suffix.lower() in (".txt", "") and path.is_file() for path in files)


def members_of(archive: Path) -> list[Path]:
    """The files in a zip archive as paths `archive.zip!member`, without those that are no data by their names."""
    inside = f"{archive}{INSIDE.removeprefix('.zip')}"
    return [Path(inside + name) for name in list_zip(archive) if _may_be_data(Path(name))]


def of_format(folder: Path, format: str) -> list[Path]:
    """The folder's files that may be of a format by their endings.

    Raises:
        BenchError: there is none.
    """
    there = files_in(folder)
    found = [path for path in there if format in formats(path)]
    if not found:
        names = ", ".join(path.name for path in there[:5]) or "nothing"
        valid = ", ".join(ending for ending, kinds in ENDINGS.items() if format in kinds) or "any: name the files"
        raise BenchError(f"{folder}: a folder without data of format {format} ({valid}); there is {names}")
    return found


def split_of(path: Path) -> str | None:
    """The split that a file's name speaks of (`dev.char.bmes`, `DRCD_test.json`), or that its folder is called (`val/0.csv`)."""
    name = path.name.rpartition("!")[2].lower()
    for word in (*re.split(r"[^a-z]+", name), path.parent.name.rpartition("!")[2].lower()):
        if word in SPLITS or word in ALIASES:
            return canonical_split(word)
    return None


def series(path: Path) -> tuple[Path, str]:
    """What the shards of one file have in common: their names differ in numbers only."""
    return path.parent, re.sub(r"\d+", "0", path.name)


def by_split(paths: Sequence[Path], where: str) -> dict[str, list[Path]]:
    """Split -> its files. `all` for a single file, and where no name speaks of a split.

    Files of one split are the shards of one file: their names differ in numbers only. Where there is no file for the training,
    that of validation takes its place, since validation can be cut from it.

    Raises:
        BenchError: files that are no shards of each other have names of the same split, or some have a name of a split and
            others of none.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    others = []
    for path in paths:
        split = split_of(path)
        (others if split is None else found[split]).append(path)
    if len(paths) == 1 or not found:
        return {"all": list(paths)}
    example = ", ".join(f"{name}: {found[name][0].name}" for name in SPLITS if name in found)
    cure = f"name the ones to use in a task file: files: {{{example}}}"
    if others:
        raise BenchError(f"{where}: {', '.join(path.name for path in others)}: of which split, by its name? Or {cure}")
    for split, same in found.items():
        if len(set(map(series, same))) > 1:
            names = ", ".join(path.name for path in same)
            raise BenchError(f"{where}: {len(same)} files for {split} ({names}); {cure}")
    if "train" not in found:
        spare = found.pop("validation" if "validation" in found else "test")
        found["train" if found else "all"] = spare
    return {split: found[split] for split in (*SPLITS, "all") if split in found}
