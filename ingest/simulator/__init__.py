"""The simulator: an invented fleet with spots, sessions, faults and known outbreaks, from one seed.

A stream is built in this order: `fleet` and `demand` say who charges where and when, `sessions`, `troubles` and
`outages` turn it into `reports`, `repeats` says when each report arrives, `cloudevents` or `ocpp_frames` writes it
down, `stream` brings all into one order, and `pace` releases it, to a file or into the running system. `chance`
makes it reproducible; `demo` runs a small fleet for newcomers.
"""
