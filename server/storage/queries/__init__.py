"""What the pages read: one file a subject. Each takes the session and who looks; none writes.

Everything obeys the viewer's areas here, so that no page can forget to.
"""
