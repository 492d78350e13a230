"""Push to Android and others by Firebase Cloud Messaging, HTTP v1."""
