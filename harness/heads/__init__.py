"""Heads: the layers, the loss and the input format that make a backbone solve one kind of problem."""
