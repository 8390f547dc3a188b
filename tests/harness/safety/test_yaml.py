"""YAML names no code: suites, task files and published numbers with tags of Python are one line, and nothing runs."""

import sys

import pytest
import yaml

from harness.cli import main as cli
from harness.errors import BenchError
from harness.published import read_published

TAGS = {
    "apply": "!!python/object/apply:os.system ['touch {marker}']",
    "new": "!!python/object/new:os.system ['touch {marker}']",
    "name": "!!python/name:os.system",
    "module": "!!python/module:os",
}
SUITE = "name: x\nmodels: {{}}\ntasks: []\ndescription: {tag}\n"
TASK = "family: sentiment\ndescription: {tag}\ndata: {{format: csv, files: x.csv}}\n"
SUITE_WITH_TASK = "name: x\ntasks: [task.yaml]\n"


@pytest.fixture
def marker(tmp_path):
    """The file that the tags create; those of `apply` do, in a loader that obeys."""
    path = tmp_path / "was-run"
    yaml.unsafe_load(TAGS["apply"].format(marker=path))
    assert path.exists()
    path.unlink()
    return path


def fails(capsys, monkeypatch, *words):
    """The line of a command that ends with status 2."""
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2 and err.startswith("bench: ") and err.count("\n") == 1 and not out
    return err


@pytest.mark.parametrize("kind", TAGS)
def test_a_tag_of_python_is_one_line(kind, marker, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tag = TAGS[kind].format(marker=marker)
    (tmp_path / "suite.yaml").write_text(SUITE.format(tag=tag))
    (tmp_path / "task.yaml").write_text(TASK.format(tag=tag))
    (tmp_path / "with-task.yaml").write_text(SUITE_WITH_TASK)
    (tmp_path / "published.yaml").write_text(f"- {tag}\n")
    for file, words in (
        ("suite.yaml", ["plan", "--suite", "suite.yaml"]),
        ("suite.yaml", ["run", "--suite", "suite.yaml"]),
        ("suite.yaml", ["fetch", "--suite", "suite.yaml"]),
        ("task.yaml", ["plan", "--tasks", "task.yaml"]),
        ("task.yaml", ["task", "check", "task.yaml"]),
        ("task.yaml", ["plan", "--suite", "with-task.yaml"]),
    ):
        line = fails(capsys, monkeypatch, *words)
        assert file in line and "is not known" in line and "python/" in line, line
    with pytest.raises(BenchError, match=r"published\.yaml: cannot be read: .*python/") as found:
        read_published(tmp_path / "published.yaml")
    assert "\n" not in str(found.value)
    assert not marker.exists()
