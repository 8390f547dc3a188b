"""Faults of every kind, done to `bench run`: after each, the same command again finishes the grid as if nothing had been.

`grid` says what is run, `process` runs it, `inject` breaks it from within and `harm` from without, `kinds` draws the faults
of a run, `episode` repeats the command under them until the grid is finished, `checks` looks at what is left.
"""
