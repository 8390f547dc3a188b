"""Recipes chosen on validation: candidates, trials, winners."""
