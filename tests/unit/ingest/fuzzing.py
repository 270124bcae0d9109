"""How long decoders are fuzzed: `SPOTCLAIM_FUZZ_EXAMPLES=20000` makes a campaign of it (`make nightly`)."""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("SPOTCLAIM_FUZZ_EXAMPLES", "100"))
fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
