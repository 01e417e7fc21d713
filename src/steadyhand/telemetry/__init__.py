"""What is measured: metric names, the counters behind them, structured logs."""
