"""Write a task file from data or as a template. The modules import only the standard library."""
