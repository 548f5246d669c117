"""Whoever destroys an installation by mistake keeps its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import bigquery
from support.deployment import Deployment

from shared.ledger import LEDGER

if TYPE_CHECKING:
    from pathlib import Path

YES = ("-auto-approve", "-input=false", "-no-color")


@pytest.mark.timeout(300)
def test_tables_outlive_a_destroy(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Protected, as they are unless somebody says otherwise, they are not destroyed; else they are."""
    with bigquery.Emulator(tmp_path / "bigquery") as warehouse:
        terraform = Deployment(tmp_path / "checkout", tmp_path_factory, bigquery=warehouse.host)
        # Each endpoint makes it slower, and one is as good as another here.
        terraform.keep("currency")
        terraform.without_zips()
        terraform("apply", *YES)
        protected = ["currency", "currency_listings", *(f"{name}_log" for name in LEDGER)]
        refused = terraform("destroy", *YES, code=1)
        assert refused.stderr.count("without setting deletion_protection=false") > len(protected)
        assert set(protected) <= set(terraform.there()["tables"])
        terraform("apply", *YES, "-var=deletion_protection=false")
        terraform("destroy", *YES, "-refresh=false", "-var=deletion_protection=false")
        assert terraform.state() == {}
        assert terraform.there()["datasets"] == []
