"""Record exchanges with the service, one scrubbed JSON file each; `python -m contentgroove_mock.recording --help`.

`recordings` has the files' format and their folder, `contract` the parts of the contract that they depend on, `journey`
the requests, `recorder` the walk through them, `scrubbing` the removal of private data, and `targets` the two services
that exchanges are recorded with.
"""
