"""Metrics computed by the usual libraries, as `evaluate` modules that need no network.

This package imports nothing. Import its modules by name (`harness.metrics.entities`, …), and only in a worker process:
those with a metric class load scikit-learn, seqeval or sacrebleu, and `evaluate`, which takes seconds.
"""
