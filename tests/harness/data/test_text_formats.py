"""Labelled lines, sentence pairs, and translation memories."""

import pytest

from harness.data.readers import labelled, parallel, reader
from harness.errors import BenchError


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "x"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# --- labelled ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "label", "text"),
    [
        ("DESC:manner How did it: end ?", "DESC", "How did it: end ?"),
        ("__label__good so nice", "good", "so nice"),
        ("ham\tSee you", "ham", "See you"),
        ("positive: fine\r", "positive", "fine"),
    ],
)
def test_labelled_lines(write, line, label, text):
    rows = labelled.read(write(f"\n{line}\n"))
    assert rows == [{"label": label, "text": text}] and rows[0].spot == 2


def test_another_pattern(write):
    assert labelled.read(write("DESC:manner How ?"), pattern=r"(?P<label>\S+)\s+(?P<text>.*)") == [
        {"label": "DESC:manner", "text": "How ?"}
    ]
    rows = labelled.read(write("a | b"), pattern=r"(?P<text>.*)\|(?P<label>.*)")
    assert rows == [{"text": "a", "label": "b"}]
    with pytest.raises(BenchError, match="has no named group"):
        labelled.read(write("a"), pattern="(.*)")
    with pytest.raises(BenchError, match=r"x:2: 'b' does not match the pattern"):
        labelled.read(write("1 a\nb"), pattern=r"(?P<label>\d+) .*")


@pytest.mark.parametrize("line", ["__label__a __label__b text", "__label__a text __label__b", "__label__a __label__b"])
def test_several_labels_of_a_line_are_refused(write, line):
    with pytest.raises(BenchError, match=r"x:2: a row has several labels \(a, b\); bench classifies into one: keep one"):
        labelled.read(write(f"__label__a good\n{line}\n"))


def test_ignored_finer_labels_are_counted(write):
    report = {}
    labelled.read(write("DESC:manner How ?\nHUM:ind Who ?\npositive: fine\n__label__x y\n"), report=report)
    assert report == {"finer_labels": 2}
    labelled.read(write("DESC:manner How ?"), pattern=r"(?P<label>\S+)\s+(?P<text>.*)", report=(report := {}))
    assert report == {}


def test_encoding_of_labelled_lines(write):
    path = write("ENTY:x Café ?\n".encode("latin-1"))
    assert labelled.read(path, encoding="latin-1")[0]["text"] == "Café ?"
    with pytest.raises(BenchError, match=r"x:1: not utf-8-sig text .*`encoding`.*a guess: cp1252"):
        labelled.read(path)


# --- pairs -------------------------------------------------------------------------------------------------------


def test_pairs(write):
    report = {}
    rows = parallel.read_pairs(write("Hi.\tHallo!\tCC-BY\r\n\nHi.\t Grüß Gott! \nGo.\t\n"), report=report)
    assert rows == [
        {"source": "Hi.", "target": "Hallo!", "group": "Hi."},
        {"source": "Hi.", "target": "Grüß Gott!", "group": "Hi."},
        {"source": "Go.", "target": "", "group": "Go."},
    ]
    assert [row.spot for row in rows] == [1, 3, 4]
    assert report == {"repeated": 1, "empty": 1, "unread": 1}


def test_pairs_the_other_way_round_and_with_another_separator(write):
    path = write("1 ||| a ||| b\n")
    (row,) = parallel.read_pairs(path, separator="|||", source=2, target=1)
    assert (row["source"], row["target"]) == ("b", "a")
    with pytest.raises(BenchError, match=r"x:1: 1 field\(s\), so none with index 1"):
        parallel.read_pairs(path)


# --- tmx ---------------------------------------------------------------------------------------------------------


def memory(*units, srclang="en", head=""):
    body = "".join(
        "<tu>" + "".join(f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>' for code, text in unit) + "</tu>\n"
        for unit in units
    )
    return f'<?xml version="1.0"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd"{head}>\n<tmx><header srclang="{srclang}"/><body>\n{body}</body></tmx>'


def test_tmx(write):
    path = write(
        memory(
            [("en-GB", "A &amp; b"), ("de", "<bpt i='1'>\\b</bpt>A <hi>und</hi> b<ept i='1'/>")],
            [("EN_us", "c"), ("de", "C"), ("de-AT", "D"), ("fr", "x")],
            [("en", "only")],
            [("en", " "), ("de", "e")],
        )
    )
    report = {}
    rows = parallel.read_tmx(path, source="en", target="de", report=report)
    assert rows == [
        {"source": "A & b", "target": "A und b"},
        {"source": "c", "target": "C"},
        {"source": "", "target": "e"},
    ]
    assert [row.spot for row in rows] == [4, 5, 7]
    left_out = {"codes": 2, "other_variants": 1, "other_languages": "fr (1)"}
    assert report == {"source": "en", "target": "de", "incomplete": 1, "empty": 1, **left_out}


def test_further_sources_are_counted(write):
    report = {}
    assert parallel.read_tmx(write(memory([("en", "a"), ("en", "b"), ("de", "c")])), report=report) == [{"source": "a", "target": "c"}]
    assert report["other_sources"] == 1


def test_several_translations_are_kept(write):
    assert parallel.read_tmx(write(memory([("en", "a"), ("de", "b"), ("de", "c")]))) == [{"source": "a", "target": ["b", "c"]}]


def test_the_languages_of_a_file_of_two(write):
    unit = [("de", "b"), ("en-US", "a")]
    assert parallel.read_tmx(write(memory(unit))) == [{"source": "a", "target": "b"}]
    assert parallel.read_tmx(write(memory(unit)), source="de") == [{"source": "b", "target": "a"}]
    with pytest.raises(BenchError, match=r"which of its languages \(de, en-US\) is which"):
        parallel.read_tmx(write(memory(unit, srclang="*all*")))
    with pytest.raises(BenchError, match=r"no segments in target: 'fr'; the file has de, en-US"):
        parallel.read_tmx(write(memory(unit)), source="en", target="fr")


def test_entities_are_refused(write):
    bomb = ' [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]'
    with pytest.raises(BenchError, match="x:2: has the entity 'a'; entities are not read"):
        parallel.read_tmx(write(memory([("en", "&b;"), ("de", "b")], head=bomb)))
    file = ' [<!ENTITY a SYSTEM "file:///etc/hostname">]'
    with pytest.raises(BenchError, match="has the entity 'a'"):
        parallel.read_tmx(write(memory([("en", "&a;"), ("de", "b")], head=file)))
    with pytest.raises(BenchError, match="x:4: has the entity 'nbsp'"):
        parallel.read_tmx(write(memory([("en", "a&nbsp;b"), ("de", "b")])))


def test_tmx_encodings(write):
    text = memory([("en", "é"), ("de", "ü")]).replace("?>", ' encoding="UTF-16"?>', 1)
    assert parallel.read_tmx(write(text.encode("utf-16"))) == [{"source": "é", "target": "ü"}]
    says_utf8 = text.replace('"UTF-16"', '"UTF-8"').encode("utf-16")  # the mark at its beginning is right
    assert parallel.read_tmx(write(says_utf8)) == [{"source": "é", "target": "ü"}]
    with pytest.raises(BenchError, match=r"x:1: .*save it as UTF-8"):
        parallel.read_tmx(write(text.replace("UTF-16", "gb2312")))


# --- options -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "options", "words"),
    [
        ("csv", {"encoding": 5}, "option encoding of format csv is 5; it must be a text"),
        ("csv", {"header": "no"}, "it must be true or false or a list"),
        ("conll", {"words": "0"}, "it must be a whole number"),
        ("conll", {"tags": True}, "it must be a whole number"),
        ("tmx", {"source": ["en"]}, "it must be a text or nothing"),
    ],
)
def test_options_of_a_wrong_kind(format, options, words):
    with pytest.raises(BenchError, match=words):
        reader(format, options)
