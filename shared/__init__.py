"""The language that the phone and the server both speak: records, operations, rules, messages.

Depends on the standard library and marshmallow alone, so that it runs on a phone as it does on
the server.
"""
