"""Records: what did run. One per request, appended to a local log, shipped to SQL."""
