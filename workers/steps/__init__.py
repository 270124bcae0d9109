"""Carries out steps: one module for each kind of job in the outbox.

A handler loads what the batch needs, asks the domain, and returns the changes; the runner
(`workers.runtime.step_runner`) records them in the transaction that removes the steps. Enter at `registry`, which
says for each kind its payload, handler, lane, priority, size, and the server it needs. A step here is a class of
`domain.steps`, and its handler a class named after who does it: `Verify` is carried out by `Verifier`. A lane is a
relay with threads of its own, so that slow deliveries hold up no claims.
"""
