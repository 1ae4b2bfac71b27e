"""One outcome, told three times: log, output.json and HTML page."""
