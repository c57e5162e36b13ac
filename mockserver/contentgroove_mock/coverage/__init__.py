"""Coverage of the contract by a test run: operations, responses, webhooks, faults and fields, and reports of it."""
