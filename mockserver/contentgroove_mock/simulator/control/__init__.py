"""What users do with a simulator: each method and property serves Python and, with its route, HTTP."""
