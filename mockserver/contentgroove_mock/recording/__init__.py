"""Record exchanges with the service, and replay them.

A session is what a program and the service exchange. `proxy` passes it on and records it, `replay` responds from it,
and `commands` runs both for `contentgroove mock`. `sessions` has the file's format, `session_scrubbing` removes
credentials.

`python -m contentgroove_mock.recording` records one scrubbed file for each documented exchange, and is not part of the
installed package. `recordings` has the files' format and their folder, `contract` the parts of the contract that they
depend on, `journey` the requests, `recorder` the walk through them, `scrubbing` the removal of private data, and
`targets` the two services that exchanges are recorded with.
"""
