"""All that only Android can do, through pyjnius; imported where the app runs on a phone."""
