"""What can be told of a task's data before anything is trained. Importing it needs the standard library only."""
