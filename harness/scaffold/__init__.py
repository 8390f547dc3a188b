"""Write a task file from data or as a template. The modules need no third-party library."""
