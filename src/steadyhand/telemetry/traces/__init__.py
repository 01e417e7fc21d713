"""Traces: spans made of records, and sent to an OTLP receiver, off the request path."""
