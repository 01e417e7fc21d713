"""Which rung may start when: the deadline planner. Pure, recorded and replayable."""
