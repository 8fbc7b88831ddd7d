"""From balanced tables and a parent to a candidate."""
