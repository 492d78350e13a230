"""What every service runs on: settings, logging, health, metrics, lifecycle, clock, ids and tracing."""
