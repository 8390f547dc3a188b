"""How long cells will take and how much memory they will need, before any of them runs. Parent side: never imports torch.

`grid.estimate` asks `history` (past records), and where there are none of the same cell `formula`, with the tokens of `sizes` and the speed
of this `machine`. `estimate` holds what is told, `left` follows a grid that runs, and `disk` looks whether checkpoints will fit.
"""
