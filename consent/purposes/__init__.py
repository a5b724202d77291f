"""Purpose declarations: what an agency may read, why, on which lawful basis, for how long; immutable, in versions.

Owns: the TOML form, its checks, the versions. Must not know: who was shown a declaration, or what they answered.
"""

from consent.purposes.declaration import long_sentences, parse
from consent.purposes.store import Purposes

__all__ = ["Purposes", "long_sentences", "parse"]
