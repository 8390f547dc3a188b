"""Patience with the Hub, and what its errors are called."""

import socket

import httpx2
import pytest
from huggingface_hub import errors

import harness.hub as hub
from harness.errors import HubError


def answer(status, kind=errors.HfHubHTTPError):
    request = httpx2.Request("GET", "http://127.0.0.1/x")
    return kind("said so", response=httpx2.Response(status, request=request))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(hub, "PAUSES", (0,) * 8)
    monkeypatch.setattr(hub, "_hopeless", False)


class Stumbling:
    """An action that fails so many times."""

    def __init__(self, failures, error):
        self.left, self.error, self.calls = failures, error, 0

    def __call__(self):
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "rows"


@pytest.mark.parametrize(
    "error", [answer(503), answer(429), httpx2.ReadError("cut off"), HubError("stale", temporary=True)]
)
@pytest.mark.parametrize("failures", [1, 8])
def test_trouble_of_a_moment_is_waited_out(error, failures):
    action = Stumbling(failures, error)
    assert hub.with_retries(action, "data set 'a/b'") == "rows" and action.calls == failures + 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (answer(404, errors.RepositoryNotFoundError), "model 'a/b' is not on the Hub"),
        (answer(404, errors.RevisionNotFoundError), "model 'a/b' has no such revision"),
        (answer(403, errors.GatedRepoError), "model 'a/b' is gated: ask for access on its page, then set HF_TOKEN"),
    ],
)
def test_a_refusal_is_final(error, words):
    action = Stumbling(1, error)
    with pytest.raises(HubError, match=words) as caught:
        hub.with_retries(action, "model 'a/b'")
    assert action.calls == 1 and not caught.value.temporary and "\n" not in str(caught.value)


def test_what_the_hub_has_no_part_in_passes_through():
    with pytest.raises(KeyError):
        hub.with_retries(Stumbling(1, KeyError("x")), "model 'a/b'")


def test_a_library_s_error_is_traced_to_the_hub_s():
    wrapped = ConnectionError("download failed")
    wrapped.__cause__ = answer(502)
    action = Stumbling(2, wrapped)
    assert hub.with_retries(action, "x") == "rows" and action.calls == 3


def test_a_file_that_need_not_be_there_does_not_hide_what_a_library_says():
    said = ValueError("BuilderConfig 'x' not found")
    said.__context__ = answer(404, errors.RemoteEntryNotFoundError)
    with pytest.raises(ValueError, match="BuilderConfig"):
        hub.with_retries(Stumbling(1, said), "data set 'a/b'")


def test_a_dead_hub_is_not_waited_for_again_and_again():
    first, second = Stumbling(99, answer(503)), Stumbling(99, answer(503))
    for action in (first, second):
        with pytest.raises(HubError, match="cannot be fetched and is not in the cache") as caught:
            hub.with_retries(action, "model 'a/b'")
        assert caught.value.temporary
    assert (first.calls, second.calls) == (9, 2)
    hub.with_retries(Stumbling(0, None), "x")  # it is back
    again = Stumbling(5, answer(503))
    assert hub.with_retries(again, "x") == "rows"


def test_where_no_name_is_known_there_is_no_network_to_wait_for():
    nameless = httpx2.ConnectError("[Errno -2] Name or service not known")
    nameless.__cause__ = socket.gaierror(-2, "Name or service not known")
    action = Stumbling(99, nameless)
    with pytest.raises(HubError, match="check the network"):
        hub.with_retries(action, "model 'owner/name'")
    assert action.calls == hub.PAUSES_WITHOUT_HOST + 1


def test_models_of_the_cache_are_those_with_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for name, file in (("models--a--b", "model.safetensors"), ("models--c--d", "config.json"), ("datasets--e--f", "x.safetensors")):
        (tmp_path / name / "snapshots/1").mkdir(parents=True)
        (tmp_path / name / "snapshots/1" / file).touch()
    assert hub.cached_models() == ["a/b"]
