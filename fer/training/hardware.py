"""What the processor is good at."""

from functools import cache
from pathlib import Path


@cache  # where there are many processors, the file is long, and slow to come
def precision() -> str:
    """Return the Keras dtype policy that trains fastest here.

    Processors with bfloat16 instructions train 1.7 times faster with it (AMD Zen 5, Intel with
    AMX; two cores); others would emulate them. Weights stay float32 either way.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "float32"
    fast = {"avx512_bf16", "amx_bf16"} & set(flags.split())
    return "mixed_bfloat16" if fast else "float32"
