"""Data: sources, file readers, splits, columns and labels. Importing it needs the standard library only."""
