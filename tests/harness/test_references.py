"""What a person is told who names a file where a task is wanted."""

import pytest

from harness import registry
from harness.errors import BenchError
from harness.references import find_tasks
from harness.suite import load_suite


def told(reference):
    with pytest.raises(BenchError) as caught:
        find_tasks([reference], load_suite("mini"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_data_without_a_family(tmp_path, monkeypatch):
    (tmp_path / "reviews.csv").write_text("text,label\na,b\n")
    monkeypatch.chdir(tmp_path)
    for reference in ("reviews.csv", "./reviews.csv", str(tmp_path)):
        message = told(reference)
        assert reference in message and f"bench task new {reference}" in message
        assert all(family in message for family in registry.families())


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    (tmp_path / "reviews.csv").write_text("text,label\na,b\n")
    monkeypatch.chdir(tmp_path)
    assert told("rewiews.csv") == "task 'rewiews.csv': no such file; did you mean reviews.csv?"
    assert told("sentiment:./rewiews.csv").endswith("no such file; did you mean reviews.csv?")
    assert told("./quite-another.csv") == "task './quite-another.csv': no such file"
    assert told("nowhere/reviews.csv").endswith("no such file; there is no folder nowhere")


def test_a_mere_name_is_no_file():
    assert "did you mean 'mini-sentiment'?" in told("mini-sentimant")
    assert "unknown task 'someone/sst2'" in told("someone/sst2")
