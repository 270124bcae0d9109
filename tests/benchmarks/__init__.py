"""How fast Spotclaim is, measured on real servers with real role processes, beside what it is compared with.

    make bench                               # everything, three repetitions, about a quarter of an hour
    make bench ARGS="intake decode --quick"  # some of it, small and once

Each part is a module with a `measure` that yields its rows, and is named in `__main__`. All figures of one part
come from one run on one machine. Processes talk over loopback; every measurement has a fresh database, a fresh
virtual host and an empty Redis database, and starts after a checkpoint. `README.md` says how to read them.
"""
