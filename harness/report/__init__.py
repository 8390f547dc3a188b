"""Make a board from records, and write it in several formats. The same records give the same bytes."""
