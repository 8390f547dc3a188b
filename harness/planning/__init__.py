"""Plan a run: from references, suites, task files and options to cells."""
