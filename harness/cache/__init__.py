"""What a cell need not compute again because another one has: the token ids of a task's examples."""
