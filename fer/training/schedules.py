"""Learning rates over a training."""

import keras

_WARMUP_PART = 0.08
_LAST_PART = 0.02


def warm_cosine(peak: float, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Rise to `peak` over the first 8 % of `steps`, then fall along a cosine to 2 % of it.

    The rise lets an update leave the parent gently: re-warming (Gupta et al. 2023, "Continual
    Pre-Training of Large Language Models: How to (re)warm your model?").
    """
    warmup = max(1, round(steps * _WARMUP_PART))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak * _LAST_PART,
        decay_steps=max(1, steps - warmup),
        alpha=_LAST_PART,
        warmup_target=peak,
        warmup_steps=warmup,
    )
