"""Keys as the gateway knows them: by hash, with the tenant, channel and routes they stand for."""

import msgspec


class Key(msgspec.Struct, frozen=True):
    """A key's rights; the key itself is never stored.

    Attributes:
        name: Name in the workspace.
        tenant: Whose requests these are.
        channel: Which channel of a route's releases is served.
        routes: Names of the routes it may call; ``*`` allows all. Provider models
            (``provider/model``) need ``models``.
        models: Patterns of provider models it may call directly, for example ``openai/*``.
    """

    name: str
    tenant: str
    channel: str
    routes: tuple[str, ...]
    models: tuple[str, ...] = ()
