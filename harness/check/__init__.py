"""Checks of a task's data before training. The modules need no third-party library."""
