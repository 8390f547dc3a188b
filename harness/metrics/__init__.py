"""Metrics over the field's own implementations, as `evaluate` modules that need neither network nor disk.

Import the modules by name (`harness.metrics.entities`, ...): they load scikit-learn, seqeval, sacrebleu and `evaluate`,
which cost seconds, so they belong in the worker process. This package itself imports nothing.
"""
