"""Real client libraries against a running server: `make interop`. Not part of `make test`: it installs Node and Apache modules."""
