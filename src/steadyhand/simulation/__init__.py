"""A model made of rules: its name chooses how it behaves, healthy or broken, on the OpenAI wire.

Knows chat completions and nothing of the gateway. ``behaviour`` lists what there is, ``script``
turns one request into steps, and two players act them out: ``server`` on a socket, the provider
``simulated`` in process.
"""
