"""How long cells will take and how much memory they will need, before any of them runs. Parent side: never imports torch."""
