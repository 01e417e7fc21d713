"""What the control process needs of objectives: what is promised, and a look now and then."""

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from time import time

from steadyhand.core.errors import SteadyhandError
from steadyhand.objectives.book import Book, Terms
from steadyhand.objectives.evaluation import Alert
from steadyhand.objectives.settings import objectives_of
from steadyhand.objectives.store import ObjectiveStore
from steadyhand.settings.model import Settings
from steadyhand.settings.objectives import load_objectives
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.sections import FILE
from steadyhand.storage.database import Database

logger = logging.getLogger(__name__)


class TermsReader:
    """What is promised of the routes in force; the file is read again only when it has changed.

    While the file has mistakes, what was promised stays promised.
    """

    def __init__(self, settings: Settings, routes: Callable[[], Collection[str]]) -> None:
        """Take what was read at the start, and what tells the names of the routes in force."""
        self._file: Path = settings.workspace / FILE
        self._workspace = settings.workspace
        self._objectives, self._prices = settings.objectives, settings.prices
        self._routes = routes
        self._seen = _stamp(self._file)

    def __call__(self) -> Terms:
        """Return them."""
        seen = _stamp(self._file)
        if seen != self._seen:
            self._seen = seen
            try:
                self._objectives, self._prices = load_objectives(self._workspace, os.environ)
            except InvalidWorkspace as error:
                for problem in error.problems:
                    logger.error("objectives not taken over: %s", problem.text())  # noqa: TRY400
        told = self._objectives
        objectives = tuple(objectives_of(told, self._routes()))
        return Terms(objectives, self._prices, told.period_s, told.sample_s)


def open_book(
    settings: Settings, routes: Callable[[], Collection[str]], database: Database
) -> Book:
    """Return the book of objectives, with what was counted before if that is known."""
    book = Book(TermsReader(settings, routes), ObjectiveStore(database))
    try:
        book.restore(time())
    except SteadyhandError as error:
        logger.warning("what objectives counted before is not known: %s", error)
    return book


async def look_for_ever(book: Book, told: Callable[[Sequence[Alert]], None]) -> None:
    """Evaluate the rules each ``sample_s``, and tell every alert that holds; until cancelled."""
    try:
        while True:
            try:
                alerts = await asyncio.to_thread(book.look, time())
            except SteadyhandError as error:
                logger.warning("counts of objectives wait in memory: %s", error)
                alerts = book.alerts
            await asyncio.to_thread(told, alerts)
            await asyncio.sleep(book.terms.sample_s)
    finally:
        await asyncio.get_running_loop().run_in_executor(None, partial(_keep, book))


def _keep(book: Book) -> None:
    try:
        book.keep(time())
    except SteadyhandError as error:
        logger.warning("the last counts of objectives are lost: %s", error)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
