"""What the server keeps: SQLAlchemy tables, the partition lock, the change feed, photo bytes.

Nothing here commits; the use cases in server.operations own their transactions.
"""
