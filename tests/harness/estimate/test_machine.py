"""The speed of this machine: measured once, in a separate process, and cached."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import astuple

import pytest

import harness.estimate.machine as machine_module
from harness.estimate.machine import (
    USUAL_SPEEDS,
    Speed,
    expected_precision,
    is_this_machine,
    measured_machine,
    processor_names,
)

WANTED = {("fp32", 128), ("bf16", 384)}
SPEED = Speed(3e-4, 2e-11, 2e-9, 1e-3, 2e-11, 2e-8, 3e-9)


@pytest.fixture
def measurement(tmp_path, monkeypatch):
    """A cache folder, and a measuring process that answers at once; gives what each call asked for."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    asked = []

    def measure(device, threads, wanted):
        asked.append((device, threads, list(wanted)))
        return dict.fromkeys(wanted, SPEED)

    monkeypatch.setattr(machine_module, "_measure", measure)
    return asked


def test_a_machine_is_measured_once_and_says_so(measurement):
    said = []
    first = measured_machine("cpu", 1, WANTED, said.append)
    assert said == ["measuring this machine once, about 5 s"] and len(measurement) == 1
    assert measured_machine("cpu", 1, WANTED, said.append) == first and len(said) == len(measurement) == 1
    assert first.speeds == dict.fromkeys(WANTED, SPEED) and first.speed("fp32", 128) == (SPEED, True)


def test_another_width_is_measured_alone(measurement):
    measured_machine("cpu", 1, WANTED, print)
    both = measured_machine("cpu", 1, {*WANTED, ("fp32", 768)}, print)
    assert measurement[1] == ("cpu", 1, [("fp32", 768)]) and len(both.speeds) == 3
    measured_machine("cpu", 1, WANTED, print)
    assert len(measurement) == 2
    measured_machine("cpu", 2, WANTED, print)
    measured_machine("cuda:0", 1, WANTED, print)
    assert len(measurement) == 4, "other threads and devices are measured by themselves"
    measured_machine("cuda:1", 1, WANTED, print)
    assert len(measurement) == 4, "cards of one kind are alike"


def test_a_run_uses_what_is_known_and_does_not_measure(measurement):
    unknown = measured_machine("cpu", 1, WANTED, None)
    assert unknown.speed("fp32", 130) == (USUAL_SPEEDS["fp32"][128], False) and not measurement
    assert measured_machine("cuda:0", 1, WANTED, None).speed("fp32", 128) is None
    measured_machine("cpu", 1, WANTED, print)
    known = measured_machine("cpu", 1, WANTED, None)
    assert known.speed("fp32", 200) == (SPEED, True) and known.speed("fp32", 768) == (USUAL_SPEEDS["fp32"][768], False)


def test_an_interrupted_measurement_is_started_again(measurement, monkeypatch):
    whole = machine_module._measure
    monkeypatch.setattr(machine_module, "_measure", lambda *asked: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        measured_machine("cpu", 1, WANTED, print)
    monkeypatch.setattr(machine_module, "_measure", whole)
    assert measured_machine("cpu", 1, WANTED, print).speeds == dict.fromkeys(WANTED, SPEED) and len(measurement) == 1


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"trials": {}}', '[["fp32", 128, [1, 2]]]', '[["fp32", "x", [1, 2, 3, 4, 5, 6, 7]]]', "null"])
def test_a_damaged_file_in_the_cache_is_measured_again(measurement, tmp_path, text):
    measured_machine("cpu", 1, WANTED, print)
    [file] = (tmp_path / "cache" / "machine").iterdir()
    file.write_text(text)
    assert measured_machine("cpu", 1, WANTED, print).speeds == dict.fromkeys(WANTED, SPEED) and len(measurement) == 2


def test_a_measurement_without_a_cache_folder_is_not_kept_and_says_so(measurement, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", "off")
    monkeypatch.setattr("os.getloadavg", lambda: (64.0, 0.0, 0.0))
    said = []
    assert measured_machine("cpu", 1, WANTED, said.append).speeds
    assert "no cache folder" in said[0] and "about 5 s, more while other programs" in said[0]


def test_a_layer_is_timed_in_a_separate_process_and_cached(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    found = measured_machine("cpu", 1, {("fp32", 64), ("fp32", 128)}, print)
    assert found.speeds.keys() == {("fp32", 64), ("fp32", 128)}
    for speed in found.speeds.values():
        assert all(math.isfinite(seconds) and seconds >= 0 for seconds in astuple(speed))
        assert speed.train_layer > speed.read_layer and 0 < speed.read_flop < 1e-8 and 0 < speed.train_flop < 1e-8 and speed.update > 0
    [file] = tmp_path.glob("machine/*.json")
    assert len(json.loads(file.read_text())) == 2
    monkeypatch.setattr(machine_module, "_measure", lambda *asked: pytest.fail("measured again"))
    assert measured_machine("cpu", 1, {("fp32", 64)}, print) == found


@pytest.mark.parametrize("printed", ["", '[["fp32", 12', "[[1]]"])
def test_the_usual_speeds_are_used_if_the_process_dies(tmp_path, monkeypatch, printed):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    broken = tmp_path / "python"
    monkeypatch.setattr(machine_module.sys, "executable", str(broken))
    for _ in ("there is none", "it dies"):
        found = measured_machine("cpu", 1, {("fp32", 768)}, print)
        assert not found.speeds and found.speed("fp32", 768) == (USUAL_SPEEDS["fp32"][768], False)
        broken.write_text(f"#!/bin/sh\necho '{printed}'\nexit 1\n")
        broken.chmod(0o755)


def test_a_hanging_process_is_killed(tmp_path, monkeypatch):
    hangs = tmp_path / "python"
    hangs.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/id\nexec sleep 60\n")
    hangs.chmod(0o755)
    monkeypatch.setattr(machine_module.sys, "executable", str(hangs))
    monkeypatch.setattr(machine_module, "TIMEOUT", 3.0)
    assert machine_module._measure("cpu", 1, [("fp32", 64)]) == {}
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "id").read_text()), 0)


def test_ctrl_c_ends_the_measurement(tmp_path):
    hangs = tmp_path / "python"
    hangs.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/new\nmv {tmp_path}/new {tmp_path}/id\nexec sleep 60\n")
    hangs.chmod(0o755)
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from harness.estimate.machine import _measure\n"
        f"sys.executable = {str(hangs)!r}\n"
        "_measure('cpu', 1, [('fp32', 64)])"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (tmp_path / "id").exists() and time.monotonic() < end:
        time.sleep(0.05)
    parent.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in parent.communicate(timeout=30)[1]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "id").read_text()), 0)


def test_the_speed_of_the_nearest_timed_width_is_used(measurement):
    machine = measured_machine("cpu", 1, {("fp32", 96), ("fp32", 100), ("fp32", 160), ("fp32", 4096), ("fp32", 16)}, print)
    assert measurement == [("cpu", 1, [("fp32", 64), ("fp32", 128), ("fp32", 768)])]
    assert machine.speed("fp32", 140) == (SPEED, True) and machine.speed("fp32", 256) == (USUAL_SPEEDS["fp32"][384], False)
    wide, _ = machine.speed("fp32", 1536)
    assert (wide.read_layer, wide.read_flop) == (4 * SPEED.read_layer, SPEED.read_flop)
    assert machine.speed("fp16", 64) is None


def test_auto_precision_avoids_what_a_model_must_avoid():
    assert expected_precision("cpu", "auto", ("bf16",)) == "fp32" == expected_precision("cuda:0", "auto", ("bf16", "fp16"))
    assert expected_precision("cpu", "bf16", ()) == "bf16" and expected_precision("cuda:0", "auto") == "auto"


def test_records_of_another_machine_or_slot_do_not_match():
    own = {"device_type": "cpu", "device": (processor_names() or ["any"])[0], "threads": 1}
    assert is_this_machine(own, "cpu", 1) and not is_this_machine(own, "cpu", 2) and not is_this_machine(own, "cuda:0", 1)
    assert not is_this_machine({**own, "device": "Abacus 3000"}, "cpu", 1) or not processor_names()
    assert not is_this_machine({}, "cpu", 1)
