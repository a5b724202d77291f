"""Going through all accounts, a page at a time. Must not know: what for."""
