"""The suite `standard`: published data sets of the Hub, and published scores of models on them."""
