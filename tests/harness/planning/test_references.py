"""References to tasks and models that cannot be found."""

import pytest

from harness import registry
from harness.errors import BenchError, HubError
from harness.models.resolve import registered
from harness.planning.references import find_models, find_tasks
from harness.planning.suite import NONE, load_suite, suite_for


def error_of(reference):
    with pytest.raises(BenchError) as caught:
        find_tasks([reference], load_suite("mini"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_data_without_a_family(tmp_path, monkeypatch):
    (tmp_path / "reviews.csv").write_text("text,label\na,b\n")
    monkeypatch.chdir(tmp_path)
    for reference in ("reviews.csv", "./reviews.csv", str(tmp_path)):
        message = error_of(reference)
        assert reference in message and f"bench task new {reference}" in message
        assert all(family in message for family in registry.families())


def test_missing_file(tmp_path, monkeypatch):
    (tmp_path / "reviews.csv").write_text("text,label\na,b\n")
    monkeypatch.chdir(tmp_path)
    assert error_of("rewiews.csv") == "task 'rewiews.csv': no such file; did you mean reviews.csv?"
    assert error_of("sentiment:./rewiews.csv").endswith("no such file; did you mean reviews.csv?")
    assert error_of("./quite-another.csv") == "task './quite-another.csv': no such file"
    assert error_of("nowhere/reviews.csv").endswith("no such file; there is no folder nowhere")


def test_unknown_name():
    assert "did you mean 'mini-sentiment'?" in error_of("mini-sentimant")
    assert "unknown task 'someone/sst2'" in error_of("someone/sst2")


def test_names_local_models_if_the_hub_does_not_answer(monkeypatch):
    def refuse(reference, aliases, trusted):
        raise HubError(f"model {reference!r} cannot be fetched", temporary=True)

    monkeypatch.setattr("harness.planning.references.resolve", refuse)
    monkeypatch.setattr("harness.planning.references.cached_models", lambda: ["owner/name"])
    ((_, error, _),) = find_models(["bert"], NONE)
    assert error.temporary and str(error).endswith("at hand without it: bert-mini, gpt2-mini, t5-mini, owner/name")


def test_alias_of_a_model_of_the_suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text("models: {small: pkg:tasks/mini/models/bert-mini}\naliases: {x: small}\n")
    (one,), (other,) = (find_models([name], load_suite("s.yaml")) for name in ("x", "small"))
    assert one[0] == other[0] and one[0].name == "small" and one[2] == "x"


def test_all_means_the_models_of_the_suite(monkeypatch):
    with pytest.raises(BenchError, match="without a suite, all means no models; name some with --models, such as bert-mini"):
        find_models(["all"], NONE)


def test_names_of_mini_mean_registered_models_elsewhere():
    assert suite_for(None, ["all"]).name == suite_for(None, ["mini-ner", "qa"]).name == "mini"
    assert suite_for(None, ["mini-ner", "./own.yaml"]) is NONE and suite_for("mini", ["./own.yaml"]).name == "mini"
    assert suite_for("mini", []).references["bert"] == "bert-mini" and "bert" not in NONE.references
    assert registered("bert", NONE.references).source == "google-bert/bert-base-uncased"
    assert registered("bert", suite_for("standard", []).references).source == "google-bert/bert-base-uncased"
