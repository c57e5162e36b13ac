"""Compare two versions of an OpenAPI document: what changed, what breaks, and what that means for an app."""
