"""Times and steps as a person writes them."""

import pytest

from harness.errors import BenchError
from harness.quantities import NEVER, SaveInterval, parse_interval, parse_seconds


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("1d", 86400), (" 2h ", 7200)]
)
def test_times(text, value):
    assert parse_seconds("--timeout", text) == value


@pytest.mark.parametrize("text", ["", "0", "0m", "-1s", "soon", "5 minutes", "never"])
def test_what_is_no_time(text):
    with pytest.raises(BenchError, match=r"^--timeout .*: must be a time such as 90s, 5m or 2h$"):
        parse_seconds("--timeout", text)


def test_how_often():
    assert parse_interval("--checkpoint-every", "5m") == SaveInterval(seconds=300)
    assert parse_interval("--checkpoint-every", "200steps") == parse_interval("--checkpoint-every", "200 steps") == SaveInterval(steps=200)
    assert parse_interval("--checkpoint-every", "1step") == SaveInterval(steps=1)
    assert parse_interval("--checkpoint-every", "never") == NEVER


@pytest.mark.parametrize("text", ["0steps", "soon", "", "steps"])
def test_what_is_no_interval(text):
    with pytest.raises(BenchError, match=r"^--checkpoint-every .*200steps"):
        parse_interval("--checkpoint-every", text)
