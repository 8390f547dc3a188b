"""The command line: one module a command. Nothing here or below may import torch: `bench --help` answers at once."""
