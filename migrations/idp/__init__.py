"""The lineage of the idp store."""
