"""From a published OpenAPI document to a corrected contract and a generated client.

This code does not mention a specific API: everything about it is in a `pipeline.toml`.
"""
