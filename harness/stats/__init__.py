"""Statistics of results from the predictions: intervals, tests, and groups of rows that cannot be told apart."""
