"""How fast Spotclaim is, measured on real servers with real role processes, beside what it is compared with.

    make bench                              # everything, three repetitions, about a quarter of an hour
    make bench ARGS="intake decode --quick"  # some of it, small and once

All figures of one table come from one run on one machine. Processes talk over loopback; every measurement has a
fresh database, a fresh virtual host and an empty Redis database, and starts after a checkpoint.
"""
