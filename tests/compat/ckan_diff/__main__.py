"""Asks CKAN anew: `python -m ckan_diff [area …]` with `PEER_ROOT`, the folder of a running CKAN (make ckan-diff)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ckan_diff.answers import record
from ckan_diff.areas import AREAS
from ckan_diff.peer import SITE, Peer


def main() -> None:
    wanted = sys.argv[1:] or list(AREAS)
    with Peer(Path(os.environ["PEER_ROOT"])) as peer:
        for area in wanted:
            tokens = peer.fresh()
            print(f"{area}: {record(area, peer.send, tokens, SITE)} calls", flush=True)


main()
