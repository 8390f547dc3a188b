"""The built-in task families, their baselines and suites. They use only what a plugin could use, too."""
