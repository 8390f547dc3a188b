"""Which files of a folder (or of a pattern) are data, of which format, and of which split: told by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
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


def files_in(folder: Path) -> list[Path]:
    """The data files of a folder by name; those of its own folders where it has none itself."""
    for pattern in ("*", "*/*"):
        found = [
            path
            for path in sorted(folder.glob(pattern))
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            and not NO_DATA.fullmatch(path.name)
        ]
        if any(formats(path) for path in found) or (pattern == "*" and found and not any(folder.glob("*/*"))):
            return found
    return found


def members_of(archive: Path) -> list[Path]:
    """The files in a zip archive as paths `archive.zip!member`, without those that are no data by their names."""
    inside = f"{archive}{INSIDE.removeprefix('.zip')}"
    return [Path(inside + name) for name in list_zip(archive) if not NO_DATA.fullmatch(name.rpartition("/")[2])]


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
