"""Which answers of this process are sampled, and where they go."""

from collections.abc import Callable, Mapping

from steadyhand.evals.grounding.sample import KIND, Sample, Terms, encoded, is_drawn
from steadyhand.records.annotation import Annotation


class Samples:
    """Belongs to a process. Nothing here waits.

    Attributes:
        taken: Samples that were handed on.
    """

    def __init__(
        self,
        terms: Mapping[str, Terms],
        key: bytes,
        most_bytes: int,
        put: Callable[[Annotation], object],
    ) -> None:
        """Take what is sampled of each route, the key of the draw, and where samples go."""
        self.most_bytes = most_bytes
        self.taken = 0
        self._terms = terms
        self._key = key
        self._put = put

    def drawn(self, route: str, request_id: str) -> Terms | None:
        """Return on which terms the answer to a request is sampled, ``None`` if it is not.

        The same however often it is asked.
        """
        terms = self._terms.get(route)
        if terms is None or not is_drawn(self._key, request_id, terms.probability):
            return None
        return terms

    def take(self, request_id: str, made_us: int, sample: Sample) -> None:
        """Hand on a sample."""
        self.taken += 1
        self._put(Annotation(request_id, KIND, made_us, encoded(sample)))
