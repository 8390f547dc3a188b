"""The engine room of bench; `docs/architecture.md` shows its rooms."""
