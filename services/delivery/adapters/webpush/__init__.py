"""Push to browsers (RFC 8030), with VAPID (RFC 8292)."""
