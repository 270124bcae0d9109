"""What a claim is and what may happen to it: pure, the standard library only.

A batch of facts goes in, and what follows from it comes out; `workers` loads the one and records the other. Each
package is a subject: `field`, `claims`, `eligibility`, `evidence`, `incidents`, `notifications`, `audit`; `ports`
has what they need of the outside. At the root is what several subjects share: `policy` (the operator's rules),
`error_codes` (our codes and the field's), `calendar` (business hours), `roles` (who may do what), `events` (reads
and replays every kind of audit event), `steps` (the jobs of the outbox), `changes` (the unit of work of one
transaction) and `errors`. README.md in this folder is the manual.
"""
