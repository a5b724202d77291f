"""The lineage of the consent store."""
