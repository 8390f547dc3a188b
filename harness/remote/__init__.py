"""Results behind a URL: what lies there, the copy of it that a machine works in, and how files pass between them."""
