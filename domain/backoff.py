"""Growing waits between attempts that fail."""

from dataclasses import dataclass
from datetime import timedelta

# Enough for any two durations, and few enough for a float.
_MOST_DOUBLINGS = 500


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubles the wait with each failure: whatever is away is asked less and less, and never given up."""

    first: timedelta
    longest: timedelta

    def after(self, failures: int) -> timedelta:
        """The wait after so many failures in a row, one or more."""
        doubled = self.first.total_seconds() * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
        return timedelta(seconds=min(doubled, self.longest.total_seconds()))
