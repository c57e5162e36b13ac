"""Record exchanges with the service, one scrubbed JSON file each; `python -m contentgroove_mock.recording --help`.

`exchange` has the files' format, `contract_parts` the parts of the contract that they depend on, `journey` the
requests, `scrubbing` the removal of private data, `folder` loading, saving and stale files. `simulated` and `live` are
the two services that exchanges are recorded with.
"""
