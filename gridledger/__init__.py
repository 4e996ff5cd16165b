"""The command line, the demo and the simulation: on top of everything; nothing imports it."""
