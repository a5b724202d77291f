"""Walking the configuration of one application, to say in sentences what an integrator got wrong.

Owns: the findings, and the sentences with which a failed authorization request is explained to its programmer. Must not know: any citizen.
`idp clients test` and the error page tell the same.
"""
