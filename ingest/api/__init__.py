"""The HTTP API, `/api/v1`, for programs and people.

Enter at `app.create_app`. Each subject has a module with its routes: `messages_routes` (faults and usage records,
read by `messages`), `decisions`, `evidence`, `incidents`, `deliveries`, `silences`, `destinations`, `quarantine`,
`administration`. `fields` and `request_checks` validate what is sent, `json_forms` holds what the command line
prints too, `problems` renders errors as RFC 9457 documents, `openapi` completes the generated document.
"""
