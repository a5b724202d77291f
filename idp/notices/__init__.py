"""What applications are told after something ended, and what became of each telling: logout tokens and security events.

Owns: notices with their attempts and outcomes, and the streams by which applications receive security events. What a notice says is sealed
until it is delivered and gone afterwards; its outcome stays a while. Must not know what an ending is, nor how a notice travels.
"""
