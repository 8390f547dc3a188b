"""The built-in task families, one file each. They use only what a third party's plugin could use."""
