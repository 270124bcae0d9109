"""The roles: what each process of a distributed installation runs, and `up`, which runs them all in one.

One module for each role, so that a process imports the libraries of its own. `background` holds what they share:
signals, threads that end the whole process when they fail, the port of the metrics.
"""
