"""Tokens and passwords never reach records, logs, boards or the terminal."""

import io
import logging
import os
import subprocess
import sys

import pytest
import toy
from typer.testing import CliRunner

from harness import safe_text
from harness.cli import main as cli
from harness.cli.main import app
from harness.engines.base import Job
from harness.engines.grid import Observer, run_grid
from harness.engines.local import LocalEngine
from harness.errors import BenchError, HubError
from harness.model import Checkpoint
from harness.report.board_files import refresh
from harness.safe_text import HIDDEN, redact
from harness.store import Store

TOKEN = "hf_" + "aBcD1234" * 4
FROM_ENVIRONMENT = "swordfish-of-the-hub"
PASSWORD = "correct-horse"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", FROM_ENVIRONMENT)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"401 for token {TOKEN}", TOKEN),
        (f"'{TOKEN}'", TOKEN),
        (f"token={TOKEN}.", TOKEN),
        ("hf_" + "x" * 34, "x" * 34),
        ("api_org_" + "x" * 34, "x" * 34),
        (f"GET https://user:{PASSWORD}@mirror.example/models", PASSWORD),
        (f"GET https://user:{PASSWORD}@x@mirror.example/models", PASSWORD),
        (f"HTTPS://{PASSWORD}@mirror.example/models", PASSWORD),
        (f"postgres://user:{PASSWORD}@host/db", PASSWORD),
        (f"https://host/file?a=1&token={PASSWORD}&b=2", PASSWORD),
        (f"https://host/file?X-Amz-Signature={PASSWORD}&b=2", PASSWORD),
        (f"Authorization: Bearer {PASSWORD}", PASSWORD),
        (f"authorization: Basic {PASSWORD}=", PASSWORD),
        (f"{{'authorization': 'Bearer {PASSWORD}'}}", PASSWORD),
        (f'{{"Authorization": "{PASSWORD}"}}', PASSWORD),
        (f"(b'authorization', b'Bearer {PASSWORD}')", PASSWORD),
        (f"Bearer {PASSWORD}12", PASSWORD),
        (f"it was {FROM_ENVIRONMENT}, I think", FROM_ENVIRONMENT),
        (f"https://host/file?sv=1&sig={PASSWORD}&b=2", PASSWORD),
        (f"DefaultEndpointsProtocol=https;AccountName=me;AccountKey={PASSWORD}==;x", PASSWORD),
    ],
)
def test_what_is_secret_is_hidden_and_the_rest_stays(text, secret):
    hidden = redact(text)
    assert secret not in hidden and HIDDEN in hidden
    assert redact(hidden) == hidden
    for word in ("mirror.example/models", "I think", "401 for token", "&b=2", "@host/db"):
        assert (word in text) == (word in hidden)


@pytest.mark.parametrize(
    "text",
    [
        "from huggingface_hub import hf_hub_download; import hf_transfer, hf_xet",
        "hf://datasets/owner/name@0123abc/data/train.parquet",
        "https://huggingface.co/google-bert/bert-base-uncased/resolve/main/config.json?download=true",
        "see https://example.org/a:b@c and git@github.com:owner/name.git",
        "the token [SEP] has no id; tokens: 12; bearer of bad news",
        "models: b@v1, owner/name@refs/pr/4",
        'File "/home/someone/harness/heads/tokens.py", line 27, in build',
    ],
)
def test_what_is_not_secret_stays(text):
    assert redact(text) == text


@pytest.mark.parametrize("name", ["HUGGING_FACE_HUB_TOKEN", "HF_TOKEN", "GITHUB_TOKEN", "WANDB_API_KEY", "DB_PASSWORD"])
def test_values_of_the_environment_are_hidden(name, monkeypatch):
    monkeypatch.setenv(name, "long-and-secret")
    assert redact("a long-and-secret word") == f"a {HIDDEN} word"


def test_short_and_harmless_values_of_the_environment_are_not(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "the")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "harmless-value")
    monkeypatch.setenv("HF_TOKEN", "")
    assert redact("the harmless-value") == "the harmless-value"


def leaking():
    """Rows of a task whose data cannot be had, and a library that tells too much of why."""
    os.environ["HF_TOKEN"] = FROM_ENVIRONMENT  # of the workers' server, which may be older than this test
    print("asking with", TOKEN)
    print("and with", FROM_ENVIRONMENT, file=sys.stderr)
    logging.getLogger("transformers").error("Authorization: Bearer %s", PASSWORD)
    logging.getLogger("harness-of-nobody").warning("https://user:%s@mirror.example", PASSWORD)
    try:
        raise OSError(f"https://user:{PASSWORD}@mirror.example refused")
    except OSError as error:
        raise RuntimeError(f"no data for {TOKEN} and {FROM_ENVIRONMENT}") from error


def test_what_a_worker_raises_prints_and_logs(checkpoints, tmp_path):
    store = Store(tmp_path / "results")
    cell = toy.cell(checkpoints("bert"), toy.task(leaking))
    [record] = run_grid(LocalEngine("cpu", jobs=1), [Job(cell, str(store.root))], Silent())
    assert record["error"]["message"] == f"no data for {HIDDEN} and {HIDDEN}"
    assert "in leaking" in record["error"]["traceback"] and "mirror.example refused" in record["error"]["traceback"]
    log = store.log(cell.id).read_text()
    for words in ("asking with", "and with", "Authorization: Bearer", "@mirror.example", "in leaking"):
        assert words in log
    refresh(store)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"record.json", "log.txt", "leaderboard.md"} <= {path.name for path in files}
    for path in files:
        content = path.read_text()
        assert not [secret for secret in (TOKEN, FROM_ENVIRONMENT, PASSWORD) if secret in content], path


class Silent(Observer):
    """An observer that tells nothing."""


@pytest.mark.slow
def test_a_good_record_holds_nothing_of_the_environment(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_SECRET", "secret-of-mine")
    store = Store(tmp_path / "results")
    [record] = run_grid(
        LocalEngine("cpu", jobs=1), [Job(toy.cell(checkpoints("bert"), epochs=1), str(store.root))], Silent()
    )
    assert record["status"] == "ok" and record["environment"]
    for path in tmp_path.rglob("*.*"):
        assert not path.is_file() or not {FROM_ENVIRONMENT, "secret-of-mine"} & set(path.read_text().split('"'))


@pytest.mark.parametrize("kind", [BenchError, HubError])
def test_the_line_of_an_error_on_the_terminal(kind, monkeypatch, capsys):
    def refuse(request):
        raise kind(f"model 'm' cannot be fetched (https://user:{PASSWORD}@mirror.example; {TOKEN})")

    monkeypatch.setattr("harness.plan_report.make_plan", refuse)
    monkeypatch.setattr(sys, "argv", ["bench", "plan"])
    with pytest.raises(SystemExit):
        cli.main()
    assert (
        capsys.readouterr().err == f"bench: model 'm' cannot be fetched (https://{HIDDEN}@mirror.example; {HIDDEN})\n"
    )


def test_a_traceback_on_the_terminal(tmp_path):
    code = (
        "import sys\nimport harness.planning.plan\nfrom harness.cli.main import main\n"
        f"def fail(request): raise RuntimeError('told of {TOKEN}')\n"
        "harness.planning.plan.make_plan = fail\nsys.argv = ['bench', 'plan']\nmain()\n"
    )
    environment = {**os.environ, "BENCH_DEBUG": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60, env=environment)
    assert done.returncode == 2 and "RuntimeError: told of [hidden]" in done.stderr and "in fail" in done.stderr
    assert TOKEN not in done.stderr


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize("command", ["plan", "run", "fetch"])
def test_what_the_hub_answers_in_the_middle_of_a_plan(command, more, tmp_path, monkeypatch):
    """A mirror's address with a password in it, in the reason why a model cannot be had."""
    error = HubError(f"model 'm' cannot be fetched (https://user:{PASSWORD}@mirror.example; {TOKEN})", temporary=True)
    lost = Checkpoint("m", "someone/m", "someone/m", None, None, "encoder", "")
    monkeypatch.setattr("harness.planning.plan.find_models", lambda references, suite, trusted: [(lost, error, "someone/m")])
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [command, "--models", "someone/m", "--tasks", "mini-sentiment", *more])
    assert done.exit_code == (0 if command == "plan" else 1), done.exception
    told = [done.stdout, done.stderr, *(path.read_text() for path in tmp_path.rglob("*.*") if path.is_file())]
    assert "m" in done.stdout and "@mirror.example" in "".join(told).replace("\n", "")
    assert not [text for text in told if PASSWORD in text or TOKEN in text]


def test_the_streams_stay_streams(monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    logger, elsewhere = logging.getLogger("of-this-test"), io.StringIO()
    handlers = [logging.StreamHandler(err), logging.StreamHandler(elsewhere)]
    for handler in handlers:
        logger.addHandler(handler)
    safe_text.redact_output()
    print("a", TOKEN, "b")
    sys.stdout.writelines([TOKEN, "\n"])
    logger.error(TOKEN)
    sys.stdout.flush()
    assert not sys.stderr.isatty()
    assert out.getvalue() == f"a {HIDDEN} b\n{HIDDEN}\n" and err.getvalue() == f"{HIDDEN}\n"
    assert elsewhere.getvalue() == f"{TOKEN}\n"  # a file that somebody else opened is theirs
    for handler in handlers:
        logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_SECRET_ACCESS_KEY", PASSWORD),
        ("AWS_ACCESS_KEY_ID", PASSWORD),
        ("AZURE_STORAGE_ACCOUNT_KEY", PASSWORD),
        ("FSSPEC_S3_KEY", PASSWORD),
        ("FSSPEC_S3", f'{{"secret": "{PASSWORD}", "client_kwargs": {{"region_name": "us-east-1"}}}}'),
        ("FSSPEC_S3", f'{{"client_kwargs": {{"aws_session_token": "{PASSWORD}", "region_name": "us-east-1"}}}}'),
    ],
)
def test_what_opens_an_object_store_is_hidden(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert redact(f"us-east-1 refused {PASSWORD}, I think") == f"us-east-1 refused {HIDDEN}, I think"
