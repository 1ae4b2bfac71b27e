"""How much of a run is shown: in the log, on the page, and in both. Counts of what is left out follow. Pure.

The whole is in the outputs `versions` and `routes`, or in the files that they name.
"""

from __future__ import annotations

LOG_DIFF_LINES_PER_FILE = 200
LOG_DIFF_LINES = 2000
LOG_DIFF_COLUMNS = 500
LOG_LIVE_DIFF_LINES = 400
LOG_ROWS = 60
LOG_ROUTES_IN_CELL = 3
LOG_RENDERED_FILES = 200
LOG_INPUT_COLUMNS = 120
LOG_PENDING = 5
"""So many workloads a heartbeat names."""

LOG_LINKS = 5
"""So many workloads that are not ready are linked in the verdict."""

PAGE_VALUE = 10_000
"""Characters of one value: a page may show the same text of a megabyte in a dozen places."""

PAGE_DIFF_LINES_PER_FILE = 600
PAGE_DIFF_LINES = 6000
PAGE_DIFF_COLUMNS = 1000
PAGE_ROWS = 1000
"""So many rows of one table are shown."""

PAGE_IN_CELL = 20
"""So many images or routes are shown in the row of one file or domain."""

PAGE_REQUESTS = 300
PAGE_OPEN_READY = 12
"""So many rows are shown unfolded where all went well; more are there, folded."""

MOST_DETAILS = 50
"""So many details of an error are listed, in log and page."""

MOST_HOSTS = 5
"""So many hosts are named in the headline; the lines below it name each."""

MOST_VERSIONS = 3
"""Files that are live at many versions are named for so many of them."""
