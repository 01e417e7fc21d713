"""Settings: the slices' tables composed; file, then environment, then flags."""
