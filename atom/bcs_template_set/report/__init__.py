"""One outcome as log lines, output.json and HTML page; nothing here decides what happened."""
