"""Delivers notifications to chat, mail and webhooks through Apprise.

Enter at `notifier.AppriseNotifier`, which implements `domain.ports.store.Notifier`. One attempt passes `message`
(rendered by `rendering` from templates, the operator's ones in a `sandbox`), `destination` (Apprise's plugin),
`http` or `smtp` (guarded connections, by `ssrf_guard`) and `deadline` (cuts off what lasts too long); `attempt`
records how far it came. `urls` says which schemas are allowed and what of a URL may be shown.
"""
