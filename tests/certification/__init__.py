"""The OpenID Foundation's conformance suite, asked to test a provider that is started here: `make certification SUITE=https://…`.

The suite itself is foreign: it is neither built nor fetched by this project. What it is given stands in this folder: the plans
(`plans.json`), the applications (`clients/`), the purpose they read for (`purpose.toml`), and what its browser does on our pages
(`browser.json`).
"""
