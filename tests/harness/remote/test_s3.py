"""Results on a server that speaks S3, with the command line."""

import json
import os
import socket
import subprocess
import sys

import made_records
import pytest

from harness.remote import remote_folder
from harness.remote.mirror import open_store, read_store
from harness.remote.remote_folder import RemoteFolder, Unreachable

WHY = "no S3 to test with: pip install s3fs 'moto[s3]' flask flask-cors"
pytest.importorskip("s3fs", reason=WHY)
server = pytest.importorskip("moto.server", reason=WHY)
ROWS = [{"id": "1", "prediction": "good", "reference": "bad"}]
SECRET = "verysecretverysecret"
SUITE = """
name: mine
models: {{b: {bert}, l: {llama}}}
tasks: [{{name: reviews, family: sentiment, data: {{format: csv, files: reviews.csv}}}}]
recipes: [{{epochs: 2, precision: fp32}}]
"""


@pytest.fixture(scope="module")
def s3():
    """A bucket on this machine, and the environment that leads to it."""
    import s3fs

    patch = pytest.MonkeyPatch()
    made = server.ThreadedMotoServer(port=0, verbose=False)
    made.start()
    _, port = made.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIATHISISMYKEYID", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }.items():  # fmt: skip
        patch.setenv(name, value)
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir("bucket")
    yield "s3://bucket"
    made.stop()
    patch.undo()


def test_two_machines(s3, tmp_path, monkeypatch):
    url, record = f"{s3}/two/machines", made_records.record()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "a"))
    here = open_store(url)
    here.remote.check()
    here.write(record, ROWS)
    here.checkpoint(record["id"]).write_bytes(os.urandom(6 * 2**20))  # more than one part of an upload
    here.upload_checkpoint(record["id"])
    assert here.send(record["id"]) == ""
    names = {name.rpartition("/")[2] for name in here.remote.tags("cells")}
    assert names == {"record.json", "predictions.jsonl"}  # the checkpoint has gone
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "b"))
    away = read_store(url)
    assert away.finished(record["id"]) and away.predictions(record["id"]) == ROWS
    # A listing and a look at one file give the same mark: what is here already is not brought again.
    monkeypatch.setattr(away.remote, "get", lambda pairs: pytest.fail(f"brought again: {pairs}") if pairs else None)
    away.sync()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "a"))
    here.remote.get = away.remote.get
    here.sync(send=True)
    failed = made_records.failed(model="gpt2")
    here.write(failed)
    assert here.send(failed["id"]) == ""
    here.discard(failed["id"])
    assert {name.split("/")[1] for name in here.remote.tags("cells")} == {record["id"]}


def test_a_checkpoint_reaches_another_machine_whole(s3, tmp_path, monkeypatch):
    url, content = f"{s3}/checkpoints", os.urandom(60 * 2**20)  # sent in parts
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "a"))
    here = open_store(url)
    here.checkpoint("x").write_bytes(content)
    here.upload_checkpoint("x")
    assert here.send("x") == ""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "b"))
    away = open_store(url)
    away.fetch("x")
    assert away.checkpoint("x").read_bytes() == content


def test_an_unreachable_store_is_a_one_line_error_without_secrets(s3, monkeypatch):
    monkeypatch.setattr(remote_folder, "PAUSES", ())
    with pytest.raises(Unreachable) as error:
        RemoteFolder("s3://nosuchbucket/x").check()
    assert str(error.value).startswith("--results s3://nosuchbucket/x: cannot be written: ")
    assert "\n" not in str(error.value) and SECRET not in str(error.value)


def bench(folder, *words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100", **environment},
    )  # fmt: skip


@pytest.mark.slow
def test_commands_read_and_write_at_the_url(s3, tmp_path, checkpoints):
    url = f"{s3}/commands"
    rows = "\n".join(f'"the cat is {word}",{word}' for _ in range(20) for word in ("good", "bad"))
    (tmp_path / "reviews.csv").write_text("text,label\n" + rows)
    (tmp_path / "mine.yaml").write_text(SUITE.format(bert=checkpoints("bert"), llama=checkpoints("llama")))
    run = ["run", "--suite", "mine.yaml", "--devices", "cpu", "--results"]
    local = bench(tmp_path, *run, "here", "--json")
    assert local.returncode == 0, local.stderr
    first = bench(tmp_path, *run, url, "--json", BENCH_CACHE=str(tmp_path / "a"))
    assert first.returncode == 0, first.stderr
    assert f"results in {url}, by way of {tmp_path}/a/mirrors/" in first.stderr
    assert json.loads(first.stdout) == json.loads(local.stdout) and f"leaderboard: {url}/leaderboard.md" in first.stderr
    away = {"BENCH_CACHE": str(tmp_path / "b"), "BENCH_RESULTS": url}
    again = bench(tmp_path, *run[:-1], **away)
    assert again.returncode == 0 and "2 cells: 2 finished, 0 to run" in again.stdout, again.stderr
    assert "2 cells, 2 finished, 0 to run" in bench(tmp_path, "plan", "--suite", "mine.yaml", **away).stdout
    board = bench(tmp_path, "leaderboard", **away)
    assert board.stdout.startswith("<!-- bench leaderboard --results commands -->") and "reviews" in board.stdout
    assert RemoteFolder(url).read("leaderboard.md").decode() == board.stdout
    said = [bench(tmp_path, "recommend", "--results", place).stderr.partition(";")[0] for place in ("here", url)]
    assert said[0] == said[1] and "reviews" in said[0]  # so small a run is no ground for a recommendation
    compared = bench(tmp_path, "compare", "b", "l", **away)
    assert compared.returncode == 0 and "reviews" in compared.stdout, compared.stderr
    shown = bench(tmp_path, "show", "reviews--b", **away)
    assert shown.returncode == 0, shown.stderr
    for path in [*(tmp_path / "a").rglob("*"), *(tmp_path / "b").rglob("*")]:
        if path.is_file() and path.suffix in (".json", ".jsonl", ".txt", ".md", ".sent"):
            assert SECRET not in (text := path.read_text()) and "AKIATHISISMYKEYID" not in text


@pytest.mark.slow
def test_a_store_that_does_not_answer_is_a_one_line_error_with_status_2(s3, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed.getsockname()[1]}", "AWS_MAX_ATTEMPTS": "1"}
        done = bench(tmp_path, "leaderboard", "--results", f"{s3}/x", BENCH_CACHE=str(tmp_path / "a"), **nobody)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"bench: --results {s3}/x: cannot be listed: ") and done.stderr.count("\n") == 1
    assert SECRET not in done.stderr
