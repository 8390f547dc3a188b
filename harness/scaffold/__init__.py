"""Writes a task file from a data file, a folder, or nothing. Importing it needs the standard library only."""
