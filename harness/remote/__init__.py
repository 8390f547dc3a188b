"""Results behind a URL: the remote folder, this machine's copy of it, and the transfers between them."""
