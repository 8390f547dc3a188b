"""A cache of token ids: the features of a head, encoded once for all cells that need the same."""
