"""The baselines of the built-in families."""
