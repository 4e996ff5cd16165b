"""The use cases, one file each. Every one that writes owns its transaction and commits once."""
