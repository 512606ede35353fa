"""The deployed functions under every order of events: simulated AWS services, a simulated clock, crashes anywhere."""
