"""The composition root: settings become running processes. Only this package knows every class."""
