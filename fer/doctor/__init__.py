"""Whether everything that the loop needs is here, and what mends it where not."""
