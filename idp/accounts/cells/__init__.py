"""The sealed values of people, read as they rest. Must not know: keys, or what a value says."""
