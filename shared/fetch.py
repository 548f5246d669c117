"""Read the API page by page into the archive, once for one run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shared import torn
from shared.archive import Manifest
from shared.budget import Budget
from shared.errors import BrokenContract, RetrySoon, StopKey
from shared.flatten import Flattener
from shared.logs import log
from shared.message import GLOBAL
from shared.schedule import duration
from shared.transport import Transport, with_params

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.archive import Archive, Page
    from shared.endpoint import Endpoint
    from shared.keys import KeyRing
    from shared.message import Request
    from shared.settings import Settings

__all__ = ["Fetcher"]

USER_AGENT = "TCdatalogger/0.1 (faction history; one caller per key)"


class Fetcher:
    """Fetches one endpoint; keeps connections, budgets and keys from run to run."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Settings,
        archive: Archive,
        keys: KeyRing,
        on_page: Callable[[Page, int], None],
    ) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self._archive = archive
        self._keys = keys
        self._on_page = on_page
        self._transport = Transport(settings.torn_api_url, user_agent=USER_AGENT)
        self._budgets: dict[str, Budget] = {}

    def fetch(self, request: Request, attempt: str) -> Manifest:
        """Read the API page by page into the archive; return the manifest that counts.

        Raises:
            Retryable, Permanent: what the API, the network, the key or the archive refused.
        """
        deadline = time.monotonic() + self._settings.run_timeout
        name = self._key_name(request.account)
        key = self._keys.get(name)
        try:
            pages = list(self._pages(request, attempt, key, deadline))
        except StopKey as error:
            if not self._keys.refused(name, key, error):
                raise
            log.warning("the key %s was refused, but has been replaced since: once more", name)
            pages = list(self._pages(request, f"{attempt}-2", self._keys.get(name), deadline))
        log.debug("fetched")
        manifest = self._archive.put_manifest(
            request.folder, Manifest(run_id=request.run_id, attempt=attempt, pages=pages)
        )
        log.debug("manifest written")
        return manifest

    def first_url(self, name: str, request: Request) -> str:
        """Return a request's first URL, as endpoint.yaml and the message make it."""
        declared = self._endpoint.requests[name]
        params: dict[str, Any] = dict(declared.params)
        in_paths = {p for r in self._endpoint.requests.values() for p in r.placeholders}
        elsewhere = {p for n, r in self._endpoint.requests.items() if n != name for p in r.params}
        params |= {k: v for k, v in request.params.items() if k in params or k not in elsewhere}
        # Values that stand in the path were checked when endpoint.yaml and the message were read.
        path = declared.path.format_map(params) if declared.placeholders else declared.path
        params = {k: v for k, v in params.items() if k not in in_paths}
        if declared.window is not None:
            if request.window is not None:
                begin, end = request.window
                params[declared.window.from_] = int(begin.timestamp())
                params[declared.window.to] = int(end.timestamp())
            elif declared.lookback is not None:
                since = (request.slot or request.published_at) - duration(declared.lookback)
                params[declared.window.from_] = int(since.timestamp())
        return with_params(path, params)

    def _pages(self, request: Request, attempt: str, key: str, deadline: float) -> Iterator[Page]:
        auth = torn.KeyAuth(key)
        budget = self._budgets.setdefault(key, Budget(self._endpoint.calls_per_minute))
        for name, declared in self._endpoint.requests.items():
            url: str | None = self.first_url(name, request)
            repeats = _Repeats(self._endpoint, name)
            number = 0
            while url is not None:
                if number == declared.max_pages:
                    raise BrokenContract(
                        f"{name}: more than {number} pages",
                        next_step="ask for less (lookback), or raise max_pages",
                    )
                response = self._transport.get(
                    url, auth=auth, budget=budget, deadline=deadline, check=torn.check, fresh=torn.fresh
                )
                page = self._archive.put_page(request.folder, attempt, name, number, response)
                number += 1
                repeats.refuse(response.body, number)
                log.debug("page %d of %s: %d bytes", number, name, page.bytes)
                self._on_page(page, number)
                yield page
                url = torn.next_link(response.body) if declared.pages == "links" else None

    def _key_name(self, account: str) -> str:
        accounts = self._settings.accounts
        named = accounts[account].key if account in accounts else None
        if account == GLOBAL:
            named = next((a.key for a in accounts.values() if a.key), None)
        return named or self._endpoint.key


class _Repeats:
    """Refuses a page with the records of the page before it: the API's cache answered.

    Most runs have one page; what it takes to compare is made when there is a second.
    """

    def __init__(self, endpoint: Endpoint, request: str) -> None:
        self._endpoint = endpoint
        self._request = request
        self._flattener: Flattener | None = None
        self._before: bytes | list[Any] = b""

    def refuse(self, body: bytes, number: int) -> None:
        if number == 1:
            self._before = body
            return
        if self._flattener is None:
            self._flattener = Flattener(self._endpoint, self._request, envelope=torn.ENVELOPE)
        before = self._before
        if isinstance(before, bytes):
            before = self._flattener.keys(before)
        self._before = keys = self._flattener.keys(body)
        if keys and keys == before:
            raise RetrySoon(
                f"{self._request}: page {number} repeats the page before it",
                next_step="nothing: it is asked again",
            )
