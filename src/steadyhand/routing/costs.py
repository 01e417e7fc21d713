"""What a deployment usually takes: quantiles of lately seen times, in bounded memory."""
