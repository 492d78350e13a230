"""The rules by which a person is sent a notification: pure, and the one home for whoever decides or explains."""
