"""What all services of Amazon ask for: signed requests."""
