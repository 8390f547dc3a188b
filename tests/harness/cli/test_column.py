"""`--column` on the command line: which of the data's columns is the family's."""

import json
import sys

import pytest

from harness.cli import main as cli

TABLE = "ref,note,toxic,rude\n" + "".join(f"R{n},this was said about {n},{n % 2},{n % 3 % 2}\n" for n in range(40))


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys):
    """Run the program in this process and return its status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text(TABLE)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


REF = "text-classification:x.csv"
PLAN = ("plan", "--models", "majority", "--no-baselines", "--no-estimate", "--json", "--tasks")


def test_an_ambiguous_column_is_asked_for_and_then_used(bench):
    for words in ([*PLAN, REF], ["run", "--models", "majority", "--tasks", REF], ["task", "check", REF]):
        status, out, err = bench(*words)
        assert status == 2 and not out and err.count("\n") == 1
        assert "2 columns may be the label: toxic, rude" in err and err.endswith("--column label=toxic\n")
    status, out, _ = bench(*PLAN, REF, "--column", "label=rude", "--column", "text=note")
    assert status == 0 and json.loads(out)["cells"][0]["task"]["columns"] == {"text": "note", "label": "rude"}


def test_columns_from_the_environment(bench, monkeypatch):
    monkeypatch.setenv("BENCH_COLUMN", "label=rude text=note")
    _, out, _ = bench(*PLAN, REF)
    assert json.loads(out)["cells"][0]["task"]["columns"] == {"text": "note", "label": "rude"}


def test_a_check_says_how_the_file_was_read(bench):
    status, out, _ = bench("task", "check", REF, "--column", "label=toxic")
    assert status == 0 and "csv: x.csv; text from 'note', label from 'toxic'; split 60/20/20" in " ".join(out.split())


def test_a_run_names_the_check_with_its_columns(bench, tmp_path):
    (tmp_path / "x.csv").write_text(TABLE + TABLE.partition("\n")[2])  # every row twice, which is worth a warning
    status, out, _ = bench("run", "--models", "majority", "--tasks", REF, "--column", "label=toxic", "--engine", "inline")
    assert status == 0 and f"bench task check {REF} --column label=toxic" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*PLAN, REF, "--column", "lable=toxic"], "unknown column of text-classification 'lable'; did you mean 'label'"),
        ([*PLAN, REF, "--column", "label=toxik"], "unknown column 'toxik'; did you mean 'toxic'"),
        ([*PLAN, REF, "--column", "label"], "--column label: must be OURS=THEIRS"),
        ([*PLAN, "mini-ner", "--column", "label=toxic"], "no task is written as FAMILY:PATH; in a task file say columns: {label: toxic}"),
        (["task", "new", "name", "--column", "label=toxic"], "--column is for data that are there"),
    ],
)
def test_invalid_columns_are_one_line(bench, words, message):
    status, out, err = bench(*words)
    assert status == 2 and not out and message in err and err.count("\n") == 1


def test_a_task_file_for_every_table(bench, tmp_path):
    status, out, _ = bench("task", "new", "x.csv", "--family", "text-classification")
    assert status == 0 and out == "x.yaml is written; 2 columns may be the label: choose one there, then: bench task check x.yaml\n"
    status, out, _ = bench("task", "new", "x.csv", "--column", "label=rude", "--output", "rude.yaml")
    assert status == 0 and "look it over" in out and "  label: rude  " in (tmp_path / "rude.yaml").read_text()
    (tmp_path / "y.csv").write_text("when,amount\n" + "".join(f"2024-01-{n + 1:02d},{n * 1.5}\n" for n in range(20)))
    status, out, _ = bench("task", "new", "y.csv")
    assert status == 0 and "fill in COLUMN there" in out and "dates such as" in (tmp_path / "y.yaml").read_text()
    assert bench("task", "check", "y.yaml")[0] == 2
