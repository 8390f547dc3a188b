"""The command line. Nothing here imports torch, so that `bench --help` answers at once."""
