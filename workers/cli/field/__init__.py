"""Commands that bring messages in, and deal with those that could not be understood.

`send` publishes CloudEvents. `imports` and `table_imports` read files of other systems, by what they share in
`importing`, and `dry_run_view` shows what an import would do. `simulate` invents a fleet. `quarantine` lists,
replays and discards; `schema` prints the schemas of messages.
"""
