"""Statistics of results: intervals, tests and groups, from the predictions of the records."""
