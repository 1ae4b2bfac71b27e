"""Which branch has which path, since when; merging paths and taking them out."""
