"""Reads OpenAPI documents: text, JSON pointers and `$ref`, operations, schemas; it names no API and no use of them."""
