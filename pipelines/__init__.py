"""Prefect flows: when to run, retries, notices. They hold no machine learning."""

import os

# Read while Prefect loads. "true", because "1" stops only some of what it and MLflow send.
os.environ.setdefault("DO_NOT_TRACK", "true")
