"""Guesses of encodings: by how plausible the text is, not by whether the bytes can be decoded."""

import pytest

from harness.data.encoding import guess, is_damaged_utf8, marked
from harness.data.file_layer import read_text
from harness.errors import BenchError

TEXTS = {
    "zh": "快递很快，第二天就到了，包装也很好。\n手机用了一个月就坏了，客服不理人，很失望。\n",
    "zh-hant": "這本書的內容很有意思，我看了兩遍。\n電影太長了，中間差點睡著。\n",
    "ja": "昨日届きました。とても使いやすくて気に入っています。\n電池がすぐに切れるので、おすすめできません。\n",
    "ko": "배송이 빨라서 좋았습니다. 다음에도 여기서 주문할게요.\n화면이 너무 어둡고 소리가 작아요.\n",
    "ru": "Книга понравилась, читается легко.\nТелефон сломался через неделю, деньги не вернули.\n",
    "fr": "La pièce était très réussie, les décors à couper le souffle.\nÀ éviter : plats froids, serveur désagréable.\n",
    "de": "Die Lieferung kam pünktlich, alles heil und schön verpackt.\nÜberteuert, für das Geld gibt es Größeres.\n",
    "es": "El niño se quedó dormido, la película fue aburridísima.\n¿Merece la pena? Sí, mañana volveré.\n",
    "pl": "Książka świetna, przeczytałam ją w jeden wieczór.\nŹle wykonane, po tygodniu się zepsuło.\n",
}
ENCODINGS = [
    ("zh", "gb18030"), ("zh-hant", "big5"), ("ja", "shift_jis"), ("ja", "euc_jp"), ("ko", "cp949"), ("ru", "cp1251"), ("ru", "koi8_r"),
    ("ru", "cp866"), ("fr", "cp1252"), ("fr", "mac_roman"), ("fr", "cp850"), ("de", "cp1252"), ("de", "mac_roman"), ("es", "cp1252"),
    ("pl", "cp1250"), ("pl", "iso8859_2"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "encoding"), ENCODINGS)
def test_texts_of_many_languages_are_read_as_they_were_written(language, encoding):
    text = "text,label\n" + TEXTS[language]
    data = text.encode(encoding)
    found = guess(data)
    assert data.decode(found.encoding) == text
    assert found.sample in text.replace("\n", " ") and not found.sample.isascii()


def test_a_single_word_is_enough_and_a_long_ascii_text_does_not_hide_it():
    data = ("plain text\n" * 50_000 + "the café was closed\n").encode("cp1252")
    assert guess(data).encoding == "cp1252" and "café" in guess(data).sample


def test_garbage_has_no_encoding():
    assert guess(bytes(range(128, 256))) is None


def test_a_few_bad_bytes_make_utf8_damaged_and_nothing_else():
    lines = ("好的，很好\n" * 30).encode() + b"caf\xe9\n" + "été\n".encode()
    assert is_damaged_utf8(lines) and not is_damaged_utf8("déjà vu à Liège".encode("cp1252"))
    assert not any(is_damaged_utf8(TEXTS[language].encode(encoding)) for language, encoding in ENCODINGS)


def test_damaged_utf8_is_an_error_with_line_and_byte_not_a_chinese_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("text,label\nçà et là,1\nété,0\n".encode() + b"caf\xe9 noir,1\n")
    with pytest.raises(BenchError, match=r"x.csv:4: not utf-8-sig .*0xe9, byte 4 of the line.*lines of it are damaged"):
        read_text(path)


def test_the_error_for_another_encoding_names_a_guess(tmp_path):
    (tmp_path / "x.csv").write_bytes("ein Stück\n".encode("latin-1"))
    with pytest.raises(
        BenchError, match=r"x.csv:1: not utf-8-sig .*state its `encoding`.*a guess: cp1252.*“ein Stück”"
    ):
        read_text(tmp_path / "x.csv")


def test_byte_order_marks():
    assert marked("a".encode("utf-16")) == "utf-16" and marked("a".encode("utf-32")) == "utf-32"
    assert (
        marked("text,label\n".encode("utf-16-le")) == "utf-16-le" and marked("text".encode("utf-16-be")) == "utf-16-be"
    )
    assert marked(b"a") is None and marked(b"") is None and marked(b"a\0b") is None
