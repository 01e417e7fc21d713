"""What consumers outside this process still have to be told of, kept with the records."""
