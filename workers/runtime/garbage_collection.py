"""The garbage collector of processes that work in batches."""

import gc


def calm_the_collector() -> None:
    """Batches come and go by the thousands of objects and hold no cycles: looking for some costs a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
