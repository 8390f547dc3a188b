"""Baselines: simple rules and small models that a fine-tuned model should beat, as cells of their own."""
