"""What runs: settings, the composition root, roles, steps and what carries them, the command line.

Enter at `bootstrap`, which builds what a process uses, and `roles`, which says what each process runs. `services`
carry out what sources, people and programs ask for. `steps` are the jobs of the outbox, one module for each kind;
`runtime` sends them to the broker and runs them. `audit` verifies the record, `health` looks after the
installation, `cli` is the `spotclaim` command. README.md in this folder has roles, commands and settings.
"""
