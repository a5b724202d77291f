"""The access log as strangers read it: checkpoint, tiles, entry bundles, proofs and the verifier key (C2SP tlog-tiles, tlog-proof).

Owns: addresses, caching, media types. Must not know: what an entry opens to, nor whom it is about; everything here is a hash.
"""
