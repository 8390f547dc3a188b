"""Ranks instead of letters: their values, their coverage of the truth, and when they are shown."""

from dataclasses import replace
from itertools import combinations

import numpy as np
from made_records import record
from scipy import stats

from harness.grouping.groups import records_by_place
from harness.report.board import Board
from harness.report.latex import to_latex
from harness.report.markdown import render
from harness.stats.multiple_tests import holm, letters, rank_intervals, rank_text, split_letters, too_many_letters
from harness.stats.standings import Standing, Standings


def test_rank_intervals_of_three():
    assert rank_intervals([(3.0, {"a"}), (2.0, {"a", "b"}), (1.0, {"b"})]) == [(1, 2), (1, 3), (2, 3)]
    assert rank_intervals([(1.0, {"b"}), (3.0, {"a"})]) == [(2, 2), (1, 1)] and rank_intervals([(1.0, {"a"})]) == [(1, 1)]
    assert rank_text((1, 9)) == "#1–9" and rank_text((4, 4)) == "#4"


def test_letters_beyond_z():
    assert split_letters("abc") == {"a", "b", "c"} and split_letters("a.aa.b") == {"a", "aa", "b"} and split_letters("") == set()
    assert not too_many_letters(["abcdef", ""]) and too_many_letters(["a", "abcdefg"]) and too_many_letters(["a.b.c.d.e.f.aa"])


def test_rank_intervals_cover_all_ranks_simultaneously():
    """Models of unlike precision, from z tests adjusted by Holm; the true ranks are known."""
    chance, boards, held = np.random.default_rng(8), 400, 0
    for _ in range(boards):
        true = np.sort(chance.normal(0, 1.5, 7))[::-1]
        error = chance.uniform(0.2, 1.0, 7)
        seen = chance.normal(true, error)
        pairs = list(combinations(range(7), 2))
        p = holm([2 * stats.norm.sf(abs(seen[i] - seen[j]) / np.hypot(error[i], error[j])) for i, j in pairs])
        groups = letters(
            [int(m) for m in np.argsort(-seen)],
            [frozenset(pair) for pair, one in zip(pairs, p, strict=True) if one < 0.05],
        )
        found = rank_intervals([(seen[m], split_letters(groups[m])) for m in range(7)])
        held += all(low <= m + 1 <= high for m, (low, high) in enumerate(found))
    assert (
        held / boards >= 0.93
    )  # 0.95 less two standard errors; the adjustment is conservative, so it may be far above


def board(brief):
    records = [record("films", f"m{number}", 90.0 - number) for number in range(3)]
    places = records_by_place(records)
    standing = {
        where: Standing("abc", 1.0, 2.0, (number + 1, 3), brief)
        for number, where in enumerate(sorted(places[0], key=lambda w: w.model))
    }
    return Board.of(records, standings=Standings(standing, [], places))


def test_renderers_show_letters_or_ranks():
    short, brief = render(board(False)), render(board(True))
    assert "**90.00** abc" in short and "a, b, …" in short and "#1–3" not in short
    assert "**90.00** #1–3" in brief and "89.00   #2–3" in brief and "#1–9: the rank" in brief and "abc" not in brief
    text = to_latex(board(True))
    assert (
        r"\textbf{90.00}" in text
        and r"\textsuperscript{1--3" in text
        and r"\textbf{89.00}" not in text
        and "#" not in text
    )
    assert r"\textbf{89.00}" in to_latex(board(False))  # of the group a


def test_a_lone_row_has_no_rank():
    assert replace(Standing("", 1.0, 2.0), brief=True).mark == ""
