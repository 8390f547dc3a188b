"""Engines: what runs cells."""
