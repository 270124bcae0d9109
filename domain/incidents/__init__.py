"""Incidents: one error on many spots of a place, which is one matter and not many.

Enter at `incident.Incident`, the state, and `events`, what happens to it. `lifecycle` is what becomes of it by
itself (it opens, grows, falls *quiet*, closes), `handling` what people do with it. `windows` counts distinct spots
in sliding windows of event time, for each code and place. `thresholds` says from how many spots on that is
unusual, by a *baseline* that `baseline` learns with `negative_binomial`. Hours in which a place was silent are
*data gaps* (`data_gaps`), not hours without errors.
"""
