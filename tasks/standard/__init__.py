"""The suite `standard`: published data sets of the Hub, and what others have published of models on them."""
