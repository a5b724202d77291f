"""The command line: a file per noun, thin, calling the functions that endpoints use.

Owns: options, confirmation, printing, exit codes. Must not know: how anything is decided or stored.
"""
