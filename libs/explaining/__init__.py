"""Why somebody was or was not told: what is recorded, and what follows from the rules and versions of that time."""
