"""Hostile input for every door of the product, for `benchmarks.fuzz`."""
