"""Commands for notifications: `deliveries`, `silences`, `destinations`, `notify`.

`deliveries` lists what was sent to whom and why, and resends what failed. `silences` adds and ends silences.
`destinations` says where notifications go, and never shows a secret. `templates` is the command `notify`: it shows
what people would be sent.
"""
