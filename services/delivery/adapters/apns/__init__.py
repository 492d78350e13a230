"""Push to Apple's devices by APNs: HTTP/2, with tokens."""
