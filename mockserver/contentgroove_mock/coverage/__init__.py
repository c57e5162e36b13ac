"""What a test run has called of the contract: operations, answers, webhooks, faults, fields; and reports of it."""
