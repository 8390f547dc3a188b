"""Guess a task from its data files: which files, format, splits and columns. The modules need no third-party library."""
