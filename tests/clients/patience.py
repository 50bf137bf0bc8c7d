"""Waiting, for as long as a slow machine may need."""

import time

PATIENCE = 60


def until(what, condition):
    """Asks until the answer is true, and gives it."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for: {what}")
        time.sleep(0.05)
