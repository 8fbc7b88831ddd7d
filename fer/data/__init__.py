"""Crops in, balanced versioned tables out."""
