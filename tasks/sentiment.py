"""Task family `sentiment`: how a text judges what it speaks of."""

from __future__ import annotations

from tasks.classification import Classification


class Sentiment(Classification):
    """The polarity of a text (Pang et al. 2002; Socher et al. 2013). Primary metric: accuracy, as SST-2 is reported."""

    name = "sentiment"
    description = "the polarity of a text"
    columns = {"text": "the text that judges", "label": "its polarity"}
