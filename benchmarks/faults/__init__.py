"""The loop under faults, for `python -m benchmarks.faults`."""
