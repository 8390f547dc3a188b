import csv
import io
import json

from made_records import failed, record

from harness.report.board import Board
from harness.report.formats import FIELDS, FORMATS, formatted, to_csv, to_json

RECORDS = [record(score=90.0), record(score=94.0, seed=1), record(model="模型", score=50.0), failed("songs", "bert")]


def test_csv_is_long_and_exact():
    lines = {(line["model"], line["task"]): line for line in csv.DictReader(io.StringIO(to_csv(Board.of(RECORDS))))}
    assert set(lines) == {("bert", "films"), ("bert", "songs"), ("模型", "films")}
    bert = lines["bert", "films"]
    assert (bert["mean"], bert["min"], bert["max"], bert["seeds"], bert["failed"]) == ("92.0", "90.0", "94.0", "2", "0")
    assert float(bert["sd"]) == 8**0.5 and bert["parameters"] == "4400000" and bert["train_seconds"] == "10.5"
    assert lines["模型", "films"]["flags"] == "trivial few-seeds" and lines["模型", "films"]["sd"] == ""
    assert (lines["bert", "songs"]["mean"], lines["bert", "songs"]["failed"]) == ("", "1")


def test_json_holds_the_board():
    board = json.loads(to_json(Board.of(RECORDS)))
    assert [column["title"] for column in board["columns"]] == ["films", "songs"]
    assert board["rows"][0]["entries"]["films"]["scores"] == {"0": 90.0, "1": 94.0}
    assert board["failures"][0]["message"] == "out of memory"


def test_every_format_takes_records_in_any_order_and_none_at_all():
    for form in FORMATS:
        assert formatted(form, iter(RECORDS)) == formatted(form, RECORDS[::-1])
        assert formatted(form, []).endswith("\n")
    assert formatted("csv", []) == ",".join(FIELDS) + "\n"
