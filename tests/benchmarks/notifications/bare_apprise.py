"""The floor for telling: Apprise alone, one message after the other, nothing kept and nothing tried again.

`python -m tests.benchmarks.notifications.bare_apprise ADDRESS COUNT`. Threads do not make it faster: what it does
is Python.
"""

import sys

import apprise

_TITLE = "GROUND_FAILURE at DE*BEN*E00000001*1: under review"
BODY = "zone-00, critical, reported once, 900.00 EUR. It waits for its first reviewer, until tomorrow noon."


def main() -> int:
    service = apprise.Apprise()
    service.add(f"json://{sys.argv[1]}/")
    for _ in range(int(sys.argv[2])):
        if not service.notify(title=_TITLE, body=BODY):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
