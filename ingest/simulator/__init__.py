"""A fleet that does not exist: spots, sessions, faults and outbreaks of known truth, all from one seed.

A stream is read in this order: `fleet` and `demand` say who charges where and when, `sessions`, `troubles` and
`outages` make reports of it, `delivery` says when each report arrives, `cloudevents` or `ocpp_frames` writes it
down, `stream` brings all into one order, and `pace` lets it out.
"""
