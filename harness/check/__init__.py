"""Checks of a task's data before training. The modules import only the standard library."""
