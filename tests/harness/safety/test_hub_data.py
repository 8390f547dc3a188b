"""Hostile repositories of data on the Hub: no script runs, no pickle is loaded, nothing outside of them is read."""

import gzip
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import hostile
import local_hub
import pytest

from harness.data.hub_data import HubSource
from harness.data.hub_files import check_builder
from harness.errors import BenchError

GOOD = "text,label\n" + "".join(f"text {number},{'good' if number % 2 else 'bad'}\n" for number in range(10))
PROGRAM = """
import json, sys
from harness.data import compressed
from harness.data.hub_data import HubSource
from harness.errors import BenchError

compressed.SMALL = 10_000
out = {}
for name, data_files in json.load(sys.stdin):
    for way in ("fetch", "read"):
        try:
            out[f"{name} {way}"] = len(getattr(HubSource(f"someone/{name}", data_files=data_files).pinned(), way)())
        except BenchError as error:
            out[f"{name} {way}"] = str(error)
print(json.dumps(out), file=open(sys.argv[1], "w"))
"""


def card(path):
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {json.dumps(path)}\n---\n"
    )


def tar(name, content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        made.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        info = zipfile.ZipInfo(name)
        info.filename = name
        made.writestr(info, GOOD)
    return file.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../other/x.csv",
        "/etc/passwd",
        "~/x.csv",
        "data/../../x.csv",
        "https://host/x.csv",
        "hf://datasets/a/b/x.csv",
        3,
    ],
)
def test_a_task_file_names_files_inside_the_repository(name):
    for entry in (name, ["data/x.csv", name]):
        with pytest.raises(
            BenchError, match=r"'someone/data': data_files: .* leads out of the repository; give paths inside"
        ):
            HubSource("someone/data", data_files={"train": entry})
    assert HubSource("someone/data", data_files={"train": "data/train-*.parquet", "test": ["a/..b.csv"]})


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "https://host/x.csv", "hf://datasets/someone/else@c/x.csv", "hf://datasets/someone/data@other/x.csv",
     "hf://datasets/someone/data@c/../../else/x.csv"],
)  # fmt: skip
def test_a_card_names_files_inside_the_repository(name):
    """`datasets` 5 refuses most of these itself; this does not lean on it."""
    kind = type("Csv", (), {"__module__": "datasets.packaged_modules.csv.csv"})
    builder, root = kind(), "hf://datasets/someone/data@c/"
    for files in ([name], [f"{root}x.csv", name]):
        builder.config = SimpleNamespace(data_files={"train": files})
        with pytest.raises(BenchError, match=r"someone/data: its card names data outside of the repository"):
            check_builder(builder, root, "someone/data")
    builder.config = SimpleNamespace(data_files={"train": [f"{root}a/..b.csv"]})
    check_builder(builder, root, "someone/data")


@pytest.mark.slow
def test_hostile_repositories(shared, tmp_path):
    marker, secret = tmp_path / "was-run", tmp_path / "secret.csv"
    secret.write_text(GOOD)
    payload = hostile.pickled(marker)
    script = f"from pathlib import Path\nPath({str(marker)!r}).touch()\n"
    bomb = gzip.compress(b"text,label\n" + b"a,b\n" * 500_000)
    repositories = {
        "good": {"train.csv": GOOD},
        "packed": {"train.csv.gz": gzip.compress(GOOD.encode())},
        "zipped": {"train.csv.zip": zipped("train.csv")},
        "script": {"script.py": script},
        "both": {"both.py": script, "train.csv": GOOD},
        "pickle": {"train.pkl": payload},
        "named": {"train.csv": GOOD, "README.md": card("train.pkl"), "train.pkl": payload},
        "tensors": {"train.tar": tar("1.pth", payload)},
        "absolute": {"train.csv": GOOD, "README.md": card(str(secret))},
        "climbs": {"train.csv": GOOD, "README.md": card("../good@main/train.csv")},
        "other": {"train.csv": GOOD, "README.md": card("hf://datasets/someone/good/train.csv")},
        "bomb": {"train.csv.gz": bomb},
        "hidden": {"train.csv": bomb},
        "slip": {"train.csv.zip": zipped("../train.csv")},
        "7z": {"train.csv": b"7z\xbc\xaf\x27\x1c" + bytes(100)},
    }
    for name, files in repositories.items():
        folder = tmp_path / "root" / "datasets" / "someone" / name / "main"
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    asked = [[name, None] for name in repositories]
    asked += [[name, {"train": "train.*"}] for name in ("bomb", "slip", "pickle", "tensors", "good")]
    with local_hub.listen(shared / "tools", tmp_path / "root", tmp_path / "home") as environment:
        outs = []
        for part in (asked[: len(repositories)], asked[len(repositories) :]):
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, tmp_path / "out.json"], input=json.dumps(part), capture_output=True,
                text=True, env=environment, cwd=tmp_path, timeout=500,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            outs.append(json.loads((tmp_path / "out.json").read_text()))
    assert not marker.exists()
    out, named = outs
    for name in ("good", "packed", "zipped"):
        assert out[f"{name} read"] == 1, out[f"{name} read"]
    for name, words in {
        "script": "scripts are no longer supported", "both": "scripts are no longer supported", "pickle": "cannot be loaded",
        "named": "cannot be loaded", "tensors": "of kind webdataset, which bench does not read",
        "absolute": "cannot be loaded", "climbs": "cannot be loaded", "other": "cannot be loaded",
        "bomb": "unpacks to more than", "hidden": "unpacks to more than", "slip": "leads out of the archive's folder",
        "7z": "is packed as 7z, which is not read",
    }.items():  # fmt: skip
        for way in ("fetch", "read"):
            said = out[f"{name} {way}"]
            assert isinstance(said, str) and words in said and f"someone/{name}" in said and "\n" not in said
    assert named["good read"] == 1
    for name in ("bomb", "slip", "pickle", "tensors"):
        said = named[f"{name} read"]
        assert isinstance(said, str) and "\n" not in said, (name, said)
