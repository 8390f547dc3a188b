"""What data files alone say about a task: which are meant, their formats, splits and columns. Imports the standard library only."""
