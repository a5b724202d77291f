"""Plumbing between HTTP and the steps: cookies, form tokens, parameters, headers, proxies, errors, the request's own log line.

Owns: what every endpoint needs and no specification of OAuth describes. Must not know: people, applications, consent, tokens.
"""
