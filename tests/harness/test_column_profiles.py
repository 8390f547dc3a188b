"""What columns look like, and what their names speak of."""

import pytest

from harness.column_profiles import SAMPLED_ROWS, describe_columns, match_name, name_words, profile_columns

COUNT = 40


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", lambda n: f"the crew was late again, {n}"),
        ("text", lambda n: f"航班{n}晚点两小时，没有人解释原因"),
        ("text", lambda n: f"the crew was late, {n // 2}"),
        ("classes", lambda n: ("late", "lost")[n % 2]),
        ("classes", lambda n: ("Customer Service Issue", "Late Flight", "Lost Luggage")[n % 3]),
        ("classes", lambda n: n % 5 + 1),
        ("classes", lambda n: float(n % 5 + 1)),
        ("classes", lambda n: (0.5, 1.5, 2.5)[n % 3]),
        ("classes", lambda n: n % 2 == 0),
        ("numbers", lambda n: 1393545600 + n),
        ("numbers", lambda n: str(round(0.31 + n % 19 / 100, 2))),
        ("dates", lambda n: f"2015-02-{n % 28 + 1:02d} 11:06:00 -0800"),
        ("dates", lambda n: f"Mon Apr 06 22:19:{n:02d} PDT 2009"),
        ("dates", lambda n: f"{n % 28 + 1}/5/2019"),
        ("dates", lambda n: f"02 {n % 28 + 1}, 2014"),
        ("links", lambda n: f"https://example.org/{n}"),
        ("ids", lambda n: f"B00{n}F"),
        ("words", lambda n: f"Port {n % 30}"),
        ("constant", lambda n: "NO_QUERY"),
        ("empty", lambda n: ("", None, float("nan"))[n % 3]),
        ("lists", lambda n: [0, n]),
        ("objects", lambda n: {"en": "a"}),
    ],
)
def test_kinds(kind, value):
    (looks,) = profile_columns([{"x": value(number)} for number in range(COUNT)]).values()
    assert looks.kind == kind


def test_gaps_do_not_hide_a_kind_but_are_told():
    rows = [{"x": "late" if number % 3 == 0 else "lost" if number % 3 == 1 else ""} for number in range(60)]
    looks = profile_columns(rows)["x"]
    assert looks.kind == "classes" and looks.filled == pytest.approx(2 / 3)
    assert str(looks) == "2 values: 'late', 'lost', missing in 33% of the rows"


def test_a_large_table_is_looked_at_from_end_to_end():
    """Sentiment140 has all its negative tweets first."""
    rows = [{"x": "0" if number < 6 * SAMPLED_ROWS else "4"} for number in range(12 * SAMPLED_ROWS)]
    looks = profile_columns(rows)["x"]
    assert set(looks.values) == {"0", "4"} and looks.count == SAMPLED_ROWS


def test_words_of_names():
    assert name_words("reviewText") == name_words("review_text") == name_words("Review Text") == ("review", "text")
    assert name_words("Sentence #") == ("sentence",) and name_words("评论") == ("评论",) and name_words(3) == ("3",)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("label", (0, 0)), ("StarRating", (0, 2)), ("airline_sentiment", (1, 1)), ("label_name", (2, 0)), ("the label here", (3, 0)),
        ("relabelled", None), ("context", None),
    ],
)  # fmt: skip
def test_names_match_by_whole_words(name, found):
    assert match_name(name, ("label", "sentiment", "star_rating")) == found


def test_a_long_list_of_columns_is_cut():
    looks = profile_columns([{f"c{number}": number for number in range(30)}]).values()
    assert describe_columns(looks, most=2) == "c0 (numbers such as '0'), c1 (numbers such as '1') and 28 more"
