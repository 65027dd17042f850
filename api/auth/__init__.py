"""Who is calling: one identity source per file, all ending in one Principal."""
