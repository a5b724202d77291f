"""The lineage of the keys store."""
