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
from harness.report.page.training import training
from harness.report.page.verdict import verdict

SECTIONS = (
    Section("empty", "No results", empty),
    Section("verdict", "Verdict", verdict),
    Section("scores", "Scores", scores, ("sort.js", "filter.js", "records.js")),
    Section("overall", "Over all tasks", overall),
    Section("training", "Training curves", training, ("plot.js", "training.js")),
    Section("curves", "Learning curves", curves),
    Section("cost", "Score against cost", chart, ("plot.js", "chart.js")),
    Section("gains", "What pre-training is worth", gains, ("sort.js",)),
    Section("slices", "Scores by slice", sliced, ("sort.js",)),
    Section("types", "Metrics by type", types, ("sort.js",)),
    Section("confusion", "Confusion matrices", confusion, ("confusion.js",)),
    Section("errors", "Error browser", errors, ("errors.js",)),
    Section("failures", "Failed cells", failures),
    Section("tasks", "Tasks", tasks, half=True),
    Section("environments", "Environment", environments, half=True),
)
