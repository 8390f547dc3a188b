"""The built-in baselines, the simplest of each family first."""

from __future__ import annotations

from tasks.baselines.copy import Copy
from tasks.baselines.dictionary import Dictionary
from tasks.baselines.frequent_tag import FrequentTag
from tasks.baselines.linear import TfidfRegression
from tasks.baselines.majority import AllO, Majority
from tasks.baselines.window import SlidingWindow

BASELINES = [Majority, TfidfRegression, AllO, FrequentTag, SlidingWindow, Copy, Dictionary]
