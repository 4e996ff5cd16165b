"""The phone app: offline first; what a worker writes is on the disk before anything is sent."""
