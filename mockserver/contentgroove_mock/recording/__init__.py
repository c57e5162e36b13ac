"""Records exchanges with the service: one plain file each, made again by one command, scrubbed of what is private.

`exchange` is the files' form, `contract_parts` what they rest on, `journey` what is asked, `scrubbing` what is taken
out of the answers, `folder` where they lie and whether they are stale. `simulated` and `live` are the two services
that exchanges are recorded with; `python -m contentgroove_mock.recording --help` runs them.
"""
