"""From a published OpenAPI document to a corrected contract and a generated client.

Nothing here knows the API by name: all of that is in a `pipeline.toml`.
"""
