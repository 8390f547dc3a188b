"""Parquet and Arrow files, and the detection of a CSV's delimiter."""

import json

import pytest

from harness import registry
from harness.data.readers import READERS, arrow, delimited, json_rows, squad_json
from harness.errors import BenchError
from harness.planning.quick import quick_task

pa = pytest.importorskip("pyarrow")

ROWS = [
    {"text": "a", "n": 1, "tags": ["x", "y"], "answers": {"text": ["b"], "answer_start": [0]}},
    {"text": None, "n": 2},
]


def table(rows=ROWS, features=None):
    made = pa.Table.from_pylist(rows)
    return made.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})} if features else None
    )


def write(path, made, kind):
    from pyarrow import feather, ipc, parquet

    if kind == "parquet":
        parquet.write_table(made, path)
    elif kind == "feather":
        feather.write_feather(made, path)
    else:
        with (ipc.new_file if kind == "file" else ipc.new_stream)(path, made.schema) as writer:
            writer.write_table(made)
    return path


READ = {
    "parquet": arrow.read_parquet,
    "feather": arrow.read_arrow,
    "file": arrow.read_arrow,
    "stream": arrow.read_arrow,
}


@pytest.mark.parametrize("kind", READ)
def test_tables(kind, tmp_path):
    rows = READ[kind](write(tmp_path / "x", table(), kind))
    assert rows == [ROWS[0], {"text": None, "n": 2, "tags": None, "answers": None}]
    assert rows[1].place() == f"{tmp_path}/x: row 2"


@pytest.mark.parametrize("kind", ["parquet", "stream"])
def test_class_labels_are_names(kind, tmp_path):
    label = {"_type": "ClassLabel", "names": ["no", "yes"]}
    text = {"_type": "Value", "dtype": "string"}
    features = {
        "label": label,
        "listed": {"_type": "List", "feature": label},
        "old": {"_type": "Sequence", "feature": {"k": label}},
        "older": [label],
        "struct": {"k": label, "t": text},
        "translation": {"_type": "Translation", "languages": ["de", "en"]},
    }
    row = {"label": 1, "listed": [0, 1], "old": {"k": [1]}, "older": [0], "struct": {"k": 0, "t": "a"}}
    made = table(
        [{**row, "translation": {"en": "e", "de": "d"}}, {**row, "label": -1, "translation": {"en": "", "de": ""}}],
        features,
    )
    first, second = READ[kind](write(tmp_path / "x", made, kind))
    assert first == {
        "label": "yes", "listed": ["no", "yes"], "old": {"k": ["yes"]}, "older": ["no"], "struct": {"k": "no", "t": "a"},
        "en": "e", "de": "d",
    }  # fmt: skip
    assert second["label"] is None


@pytest.mark.parametrize("kind", ["parquet", "file", "stream"])
def test_a_duplicate_column_is_refused(kind, tmp_path):
    made = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array(["c"])], names=["text", "label", "text"])
    with pytest.raises(BenchError, match=r"/x: column 'text' occurs twice; rename one"):
        READ[kind](write(tmp_path / "x", made, kind))


def test_a_language_that_is_a_column_as_well_is_refused(tmp_path):
    features = {"translation": {"_type": "Translation", "languages": ["de", "en"]}}
    made = table([{"translation": {"en": "e", "de": "d"}, "en": "other"}], features)
    with pytest.raises(BenchError, match=r"row 1: the language 'en' of 'translation' is the name of a column as well"):
        arrow.read_parquet(write(tmp_path / "x", made, "parquet"))


@pytest.mark.parametrize(
    ("read", "text", "place"),
    [
        (json_rows.read_jsonl, '{"text": "a"}\n{"text": "b", "label": "c", "label": "d"}\n', ":2: the key 'label'"),
        (json_rows.read_jsonl, '{"text": "b", "answers": [{"text": "c", "text": "c"}]}\n', ":1: the key 'text'"),
        (json_rows.read_jsonl, '[\n{"text": "a"}\n]\n', ":1: begins a list of objects, which is JSON; call the file .json"),
        (json_rows.read_json, '[{"text": "a"}, {"text": "b", "text": "c"}]', ": element 1: the key 'text'"),
        (json_rows.read_json, '{"text": {"0": "a", "0": "b"}, "label": {}}', ": text: the key '0'"),
        (json_rows.read_json, '{"text": ["a"], "label": ["b"], "text": ["c"]}', ": the key 'text'"),
        (json_rows.read_json, '{"columns": ["a", "a"], "data": [[1, 2]]}', ": columns: 'a' occurs twice"),
        (squad_json.read, '{"data": [{"paragraphs": [{"context": "a", "context": "b", "qas": []}]}]}', r": data\[0\].paragraphs\[0\]: the key"),
    ],
)  # fmt: skip
def test_a_duplicate_key_is_refused_with_its_place(read, text, place, tmp_path):
    (tmp_path / "x").write_text(text)
    with pytest.raises(BenchError, match=rf"/x{place}"):
        read(tmp_path / "x")


@pytest.mark.slow
def test_tables_written_by_datasets(tmp_path):
    import datasets

    names = datasets.ClassLabel(names=["O", "B-X"])
    features = {"words": [datasets.Value("string")], "tags": datasets.Sequence(names), "label": names}
    made = datasets.Dataset.from_list([{"words": ["a"], "tags": [1], "label": 0}], features=datasets.Features(features))
    made.to_parquet(tmp_path / "x.parquet")
    made.save_to_disk(tmp_path / "saved")
    expected = [{"words": ["a"], "tags": ["B-X"], "label": "O"}]
    assert arrow.read_parquet(tmp_path / "x.parquet") == expected
    assert arrow.read_arrow(next((tmp_path / "saved").glob("*.arrow"))) == expected


def test_an_old_feather_file_and_metadata_of_another_kind(tmp_path):
    (tmp_path / "x").write_bytes(b"FEA1....")
    with pytest.raises(BenchError, match="Feather 1, which is no longer read"):
        arrow.read_arrow(tmp_path / "x")
    odd = pa.Table.from_pylist([{"a": 1}]).replace_schema_metadata({"huggingface": "[1]"})
    assert arrow.read_parquet(write(tmp_path / "y", odd, "parquet")) == [{"a": 1}]


def test_a_damaged_table_is_an_error_in_every_reader(tmp_path):
    data = bytearray(write(tmp_path / "x", pa.table({"a": ["first text", "second text"]}), "file").read_bytes())
    at = data.index(b"first text") - 64  # the offsets lie before the texts
    offsets = data.index((10).to_bytes(4, "little"), max(at, 0))
    data[offsets : offsets + 4] = (2**31 - 1).to_bytes(4, "little")
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(BenchError, match="no readable Arrow file"):
        arrow.read_arrow(tmp_path / "x")


# --- delimiters --------------------------------------------------------------------------------------------------


def read(tmp_path, text, **options):
    (tmp_path / "x.csv").write_text(text)
    report = {}
    return delimited.read_csv(tmp_path / "x.csv", report=report, **options), report


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab")])
def test_a_semicolon_or_a_tab_is_detected_and_reported(tmp_path, mark, name):
    text = f'a{mark}b\n"x, y{mark} z"{mark}1\nu, v{mark}2\n'
    assert read(tmp_path, text) == ([{"a": f"x, y{mark} z", "b": "1"}, {"a": "u, v", "b": "2"}], {"delimiter": name})


def test_the_comma_is_used_whenever_it_gives_a_table(tmp_path):
    assert read(tmp_path, "a;b,c\n1;2,3\n") == ([{"a;b": "1;2", "c": "3"}], {})
    assert read(tmp_path, "a\nx y\n") == ([{"a": "x y"}], {})
    assert read(tmp_path, "a;b\nx\n") == ([{"a;b": "x"}], {})


def test_no_delimiter_is_chosen_if_two_fit(tmp_path):
    assert read(tmp_path, "a;b\tc\n1;2\t3\n") == ([{"a;b\tc": "1;2\t3"}], {})


def test_a_stated_delimiter_is_used_as_it_is(tmp_path):
    assert read(tmp_path, "a;b\n1;2\n", delimiter=",") == ([{"a;b": "1;2"}], {})


# --- quotes ------------------------------------------------------------------------------------------------------


def test_other_quotes_and_escapes(tmp_path):
    rows, _ = read(tmp_path, "Web;'a; b '' c'\nSport;d\n", header=False, quote="'", delimiter=";")
    assert rows == [{"0": "Web", "1": "a; b ' c"}, {"0": "Sport", "1": "d"}]
    rows, _ = read(tmp_path, 'a,b\n"x \\"y\\" z",1\n', escape="\\")
    assert rows == [{"a": 'x "y" z', "b": "1"}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quote": ""}, "quote is ''; it must be one character"),
        ({"escape": "ab"}, "escape is 'ab'; it must be"),
        ({"delimiter": "\n"}, "delimiter is '.n'; it must be"),
        ({"delimiter": '"'}, "must be three different characters"),
    ],
)
def test_marks_that_cannot_be(tmp_path, options, words):
    with pytest.raises(BenchError, match=words):
        read(tmp_path, "a,b\n1,2\n", **options)


def reviews(changed=None):
    """A header and 30 rows of a text and a class; `changed` has other lines by their numbers."""
    lines = ["text,label", *(f"room {number} was fine,{'pos' if number % 2 else 'neg'}" for number in range(30))]
    return "\n".join((changed or {}).get(number, line) for number, line in enumerate(lines, start=1)) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        reviews({5: '"room 3 was fine,pos', 9: 'a screen of 12",neg'}),
        reviews({5: '"room 3 was fine,pos', 7: 'a screen of 12",neg'}).replace(",", ";"),
        reviews({5: '"room 3 was fine,pos', 7: 'a screen of 12",neg'}).replace("\n", "\r\n"),
        "".join(  # the class first
            ",".join(reversed(line.split(","))) + "\n"
            for line in reviews({5: '"room 3 was fine,pos', 9: 'a screen of 12",neg'}).replace('"', "").splitlines()
        ).replace("pos,room 3", 'pos,"room 3').replace("12", '12"'),
    ],
)  # fmt: skip
def test_a_cell_that_has_swallowed_rows_is_refused_where_it_begins(text, tmp_path):
    (tmp_path / "x.csv").write_text(text, newline="")
    with pytest.raises(
        BenchError, match=r"/x\.csv:5: the cell of column 'text' that begins here has \d lines, which are rows"
    ):
        delimited.read_csv(tmp_path / "x.csv")


def test_the_place_of_a_swallowed_row_counts_the_lines_of_cells_before_it(tmp_path):
    rows = [f"{number},room,{'pos' if number % 2 else 'neg'}" for number in range(30)]
    rows[4] = '"4\n5\n6","room,pos\n7,room,neg\n8,room,neg\n9,room",pos'
    (tmp_path / "x.csv").write_text("id,text,label\n" + "\n".join(rows))
    with pytest.raises(BenchError, match=r"/x\.csv:8: the cell of column 'text'"):
        delimited.read_csv(tmp_path / "x.csv")


@pytest.mark.parametrize(
    "text",
    [
        reviews({5: '"room 3 was fine,pos', 6: 'a screen of 12",neg'}),  # one row only
        "source,target\n" + "a,b\n" * 9 + '"a,b\n' + "a,b\n" * 5 + 'a",b\n',  # no classes
    ],
)
def test_a_cell_that_may_have_swallowed_rows_is_reported(text, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    report = {}
    delimited.read_csv(tmp_path / "x.csv", report=report)
    assert report["swallowed"] == 1 and report["swallowed_at"][0].startswith(f"{tmp_path}/x.csv:")


@pytest.mark.parametrize(
    "cell",
    [
        "Nice, but slow {n}\nBye",
        "Nice, but slow {n}\n\nVery, very good food, really\nBye",
        "Roses {n}, red\nblue, violets\nand, so\non, you\nBye",
        "A list {n},\nof things,\nwith commas,\nat the end,\nand so on",
        'She said ""no, {n}""\nand left',
    ],
)
def test_texts_of_several_lines_are_not_swallowed_rows(cell, tmp_path):
    rows = [f'"{cell.replace("{n}", str(number))}",{"pos" if number % 2 else "neg"}\n' for number in range(20)]
    (tmp_path / "x.csv").write_text("text,label\n" + "".join(rows))
    report = {}
    assert len(delimited.read_csv(tmp_path / "x.csv", report=report)) == 20 and not report


@pytest.mark.parametrize(
    ("text", "first", "told"),
    [
        ('"text"\t"label"\n"a ""b"" c"\t"pos"\n', {"text": 'a "b" c', "label": "pos"}, {"quoted": 4}),  # all
        ('"text"\t"n"\n"a"\t1\n"b"\tNA\n', {"text": "a", "n": "1"}, {"quoted": 4}),  # all but numbers
        ('"text"\t"label"\n"a \\"b\\""\t"pos"\n', {"text": 'a "b"', "label": "pos"}, {"quoted": 4}),  # as R does
        ('text\tlabel\n"a ""b"""\tpos\nc\tneg\n', {"text": 'a "b"', "label": "pos"}, {"quoted": 1}),  # where needed
        ('text\tlabel\n"a"\tpos\n"b"\tneg\n', {"text": '"a"', "label": "pos"}, {}),  # texts that stand in quotes
        ('text\tlabel\n"a\tpos\nb"\tneg\n', {"text": '"a', "label": "pos"}, {}),  # GLUE
        ('text\tlabel\n"a" ""b""\tpos\n', {"text": '"a" ""b""', "label": "pos"}, {}),
        ('"t"\t"l"\n' + '"a"\t"b"\n' * 9 + '"a" "b"\t"c"\n', {'"t"': '"a"', '"l"': '"b"'}, {"kept_quotes": 22}),
    ],
)  # fmt: skip
def test_quotes_of_a_tsv_are_text_unless_a_program_wrote_them(text, first, told, tmp_path):
    (tmp_path / "x.tsv").write_text(text)
    report = {}
    assert delimited.read_tsv(tmp_path / "x.tsv", report=report)[0] == first
    assert report == told
    assert delimited.read_tsv(tmp_path / "x.tsv", quoting="none")[0] == dict(
        zip(*(line.split("\t") for line in text.splitlines()[:2]), strict=True)
    )


GERMAN = "".join(
    f"Sport;Ein Spiel {n} das sie gewannen.\nWeb;'Der \"Rechner\" {n}; so hei\u00dft er, wie''s scheint'\n"
    for n in range(20)
)


def test_a_csv_in_single_quotes_is_recognised_or_named(tmp_path):
    (tmp_path / "news.csv").write_text(GERMAN, encoding="utf-8")
    made = quick_task(registry.family("text-classification"), str(tmp_path / "news.csv"))
    rows = made.source.read()["all"]
    assert dict(made.source.options) == {"header": False, "quote": "'", "delimiter": ";"}
    assert rows[1] == {"0": "Web", "1": 'Der "Rechner" 0; so hei\u00dft er, wie\'s scheint'}
    with pytest.raises(
        BenchError,
        match=r"fields? where .* expected.*; in a task file quote: \"'\", delimiter: \";\" make a table",
    ):
        delimited.read_csv(tmp_path / "news.csv", header=False)


def test_cells_kept_in_single_quotes_are_reported(tmp_path):
    (tmp_path / "x.csv").write_text("text,label\n" + "'a b',x\nc d,y\n" * 9)
    report = {}
    assert delimited.read_csv(tmp_path / "x.csv", report=report)[0]["text"] == "'a b'"
    assert report == {"single_quotes": 9}
    (tmp_path / "x.csv").write_text("text,label\n" + "'a b' she said,x\nc d,y\n" * 9)
    delimited.read_csv(tmp_path / "x.csv", report=(report := {}))
    assert report == {}


ONCE = "text,label\n" + "".join(f"it was so number {n},{'ab'[n % 2]}\n" for n in range(20))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_headers_inside_concatenated_files_are_skipped(tmp_path, name, mark):
    content = mark + ONCE + mark + ONCE.replace("so", "not")
    (tmp_path / name).write_text(content.replace(",", "\t") if name == "a.tsv" else content, encoding="utf-8")
    task = quick_task(registry.family("sentiment"), str(tmp_path / name))
    report: dict = {}
    rows = task.source.read(report)["all"]
    assert "header" not in task.source.options and len(rows) == 40 and set(rows[0]) == {"text", "label"}
    assert report["all"] == {"repeated_headers": 1}


def test_a_repeated_first_row_is_a_row_if_there_is_no_header(tmp_path):
    (tmp_path / "a.csv").write_text(ONCE.partition("\n")[2] + "it was so number 0,a\n")
    task = quick_task(registry.family("sentiment"), str(tmp_path / "a.csv"))
    assert task.source.options["header"] is False and len(task.source.read()["all"]) == 21


def test_a_file_of_one_column_keeps_rows_equal_to_its_header(tmp_path):
    (tmp_path / "a.csv").write_text("text\none\ntext\n")
    assert delimited.read_csv(tmp_path / "a.csv") == [{"text": "one"}, {"text": "text"}]


def test_a_comma_behind_each_object_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"},\n{"text": "b"},\n')
    with pytest.raises(BenchError, match=r"a\.jsonl:1: .*the comma behind the object is one too many"):
        json_rows.read_jsonl(tmp_path / "a.jsonl")


def test_a_byte_order_mark_between_objects_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n\ufeff{"text": "b"}\n', encoding="utf-8")
    with pytest.raises(BenchError, match=r"a\.jsonl:2: .*a byte order mark stands here, as where files were put together"):
        json_rows.read_jsonl(tmp_path / "a.jsonl")


def test_the_keys_of_an_object_that_holds_no_list_of_rows_are_named(tmp_path):
    (tmp_path / "a.json").write_text('{"train": [{"text": "a"}], "test": [{"text": "b"}]}')
    with pytest.raises(BenchError, match=r"neither a list of objects nor \{.data.: \[...\]\}; there is train, test; in a task file name another `key`"):
        json_rows.read_json(tmp_path / "a.json")
    assert json_rows.read_json(tmp_path / "a.json", key="train") == [{"text": "a"}]


def test_quotes_written_by_a_program_around_pairs_are_removed(tmp_path):
    quoted = "".join(f'"the ""big"" house {n}"\t"das Haus {n}"\n' for n in range(30))
    for content, first, report in (
        (quoted, 'the "big" house 0', {"quoted": 60}),
        (quoted + '"a mark alone\tein Haus\n', '"the ""big"" house 0"', {"kept_quotes": 60}),
        ('he said "no"\ter sagte "nein"\n' * 9, 'he said "no"', {}),
    ):
        (tmp_path / "a.tsv").write_text(content)
        found: dict = {}
        assert READERS["pairs"](tmp_path / "a.tsv", report=found)[0]["source"] == first
        assert {name: number for name, number in found.items() if name in ("quoted", "kept_quotes")} == report
