"""Estimates of how long cells take and how much memory and disk they need. Never imports torch.

`estimator` uses past records of the same cell (`history`), and otherwise `formula`, with the token counts of
`text_sizes` and the speed of this `machine`. `grid_estimate` holds the results, and `time_left` follows a running grid.
"""
