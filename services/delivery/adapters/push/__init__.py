"""Push to all devices of a person, whichever service each of them is reached by."""
