"""Says whether an installation is well: at start, to probes, and to people.

`probes` asks whether servers answer and intake works, `startup_checks` whether the destinations that the policy
names are there. `doctor` looks everything over in the order a message travels. `reconcile` compares what
publishers were confirmed with what is in the database, in quarantine and in the broker.
"""
