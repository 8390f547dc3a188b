"""The sections of the page in their order. A new one is one entry here, a function, and a script if it needs one."""

from __future__ import annotations

from harness.report.page.chart import chart
from harness.report.page.confusion import confusion
from harness.report.page.curves import curves
from harness.report.page.errors import errors
from harness.report.page.facts import empty, environments, failures, gains, tasks
from harness.report.page.overall import overall
from harness.report.page.scores import scores
from harness.report.page.section import Section
from harness.report.page.slices import sliced, types

SECTIONS = (
    Section("empty", "No results", empty),
    Section("scores", "Scores", scores, ("sort.js", "filter.js", "records.js")),
    Section("overall", "Over all tasks", overall),
    Section("curves", "Learning curves", curves),
    Section("cost", "Score against cost", chart, ("axes.js", "chart.js")),
    Section("gains", "What pre-training is worth", gains, ("sort.js",)),
    Section("slices", "Scores by slice", sliced, ("sort.js",)),
    Section("types", "Metrics by type", types, ("sort.js",)),
    Section("confusion", "Confusion matrices", confusion, ("confusion.js",)),
    Section("errors", "Error browser", errors, ("errors.js",)),
    Section("tasks", "Tasks", tasks),
    Section("failures", "Failed cells", failures),
    Section("environments", "Environment", environments),
)
