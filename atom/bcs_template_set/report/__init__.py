"""One outcome as log, output.json and HTML page."""
