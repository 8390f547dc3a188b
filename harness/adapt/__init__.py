"""A method applied to a model that a head has built: which of its weights are trained."""
