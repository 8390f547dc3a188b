"""Which records belong to one row, column and cell of the board."""
