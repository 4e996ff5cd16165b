"""The fault kit: real phones, a real server, everything that goes wrong, and the proof after it."""
