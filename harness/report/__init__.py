"""From records to a board and its formats. The same records give the same bytes."""
