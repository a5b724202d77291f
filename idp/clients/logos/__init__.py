"""Logos of applications, fetched by us and served by us: a citizen's browser never asks the application's server for one."""
