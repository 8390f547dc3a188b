"""From what a person asks for to the cells of a plan: references, suites, recipes, task files."""
