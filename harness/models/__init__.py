"""Models: from a reference to exact weights, and from weights to layers."""
