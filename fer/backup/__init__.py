"""One file with all that git does not have: data versions, registry, what waits."""
