"""Training and evaluation of one cell, in the worker process."""
