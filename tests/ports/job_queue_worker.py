"""A process that runs jobs until it is killed: `python job_queue_worker.py <database url> <name>`.

What it does is told in the table `trace` (who, what). The job `t.stuck` hangs in every process called `doomed`.
"""

import sys
import time

from sqlalchemy import text

from opendata.core.database import open_engine
from opendata.ports.job_queue.dbos import DbosQueue


def main() -> None:
    url, name = sys.argv[1:]
    engine = open_engine(url, writing=True)

    def tell(what: str) -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO trace VALUES (:who, :what)"), {"who": name, "what": what})

    def stuck(n: int) -> None:
        tell(f"begun {n}")
        while name == "doomed":
            time.sleep(0.05)
        tell(f"done {n}")

    def quick(n: int) -> None:
        tell(f"done {n}")

    queue = DbosQueue(url, beat_seconds=0.25, workers=2)
    queue.start({"t.stuck": stuck, "t.quick": quick}, lambda job, _args, error: tell(f"failed {job} {error}"))
    tell("ready")
    while True:
        time.sleep(1)


main()
