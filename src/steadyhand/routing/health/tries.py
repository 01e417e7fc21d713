"""One request at a deployment, from its beginning to its end. Pure: the clock comes in."""

from typing import TYPE_CHECKING

from steadyhand.routing.health.reading import NOT_A_PROBE
from steadyhand.routing.health.sizes import WHOLE, input_class

if TYPE_CHECKING:
    from steadyhand.routing.health.deployment import DeploymentHealth


class Try:
    """One request at a deployment; its owner says once when content came, and once how it ended.

    Attributes:
        began_s: Monotonic seconds.
        first_s: When the first content came; 0 for not yet.
    """

    __slots__ = (
        "_health", "_is_over", "began_s", "cohort", "first_s", "generation", "input_bytes",
        "is_stream",
        "is_ticketed", "limit_s", "reference",
    )  # fmt: skip

    def __init__(
        self, health: "DeploymentHealth", now_s: float, input_bytes: int, *, stream: bool
    ) -> None:
        """Made by :meth:`DeploymentHealth.began`."""
        size = input_class(input_bytes)
        key = size if stream else size + WHOLE
        found = health.drift.size_class(key)
        self.reference = found.reference
        self.is_ticketed = found.reference.ticket()
        self.cohort = found.join(now_s, health.pulse.look(now_s))
        self.input_bytes = input_bytes
        self.is_stream = stream
        self.began_s = now_s
        self.first_s = 0.0
        self.limit_s = 0.0
        self.generation = NOT_A_PROBE
        self._health = health
        self._is_over = False

    @property
    def is_plausible(self) -> bool:
        """Whether its first content was no slower than that of nearly all healthy tries."""
        tail_s = self.cohort.tail_s
        return not tail_s or self.first_s - self.began_s < tail_s

    def first_content(self, now_s: float) -> None:
        """Say that the first content of a stream came, or the whole of another answer."""
        if not (self.first_s or self._is_over):
            self.first_s = now_s
            self._health.content(self, now_s)

    def ended(
        self, now_s: float, outcome: str, output_tokens: int = 0, retry_after_s: float = 0.0
    ) -> None:
        """Say how it ended; whatever is said afterwards counts for nothing.

        Args:
            now_s: Monotonic seconds.
            outcome: One of :data:`steadyhand.routing.health.reading.OUTCOMES`.
            output_tokens: Of a whole answer, reported or estimated; 0 for unknown.
            retry_after_s: What a 429 asks for; 0 for nothing.
        """
        if not self._is_over:
            if outcome == "ok":
                self.first_content(now_s)
            self._is_over = True
            self._health.ended(self, now_s, outcome, output_tokens, retry_after_s)
