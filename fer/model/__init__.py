"""Networks, and the exported file that answers as they do."""
