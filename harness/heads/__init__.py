"""Heads: the layers, the loss and the input layout that turn a backbone into a solver of one kind of problem."""
