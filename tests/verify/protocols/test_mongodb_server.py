"""
A server that speaks MongoDB's protocol with SCRAM and roles: SecantusDB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.model import Status
from tests.verify.protocols.scene import HOST, judge
from tests.verify.protocols.servers import PASSWORD, Running, free_port, run, tool

pytestmark = pytest.mark.servers
LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN
USERS = """
import sys, pymongo
db = pymongo.MongoClient("127.0.0.1", int(sys.argv[1])).admin
for name, roles in (("boss", ["root"]), ("app", [{"role": "read", "db": "orders"}]), ("gone", ["root"])):
    db.command("createUser", name, pwd=sys.argv[2], roles=roles)
db.command("dropUser", "gone")
"""


@pytest.fixture(scope="module")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("mongo")
    server = Running(free_port(), folder)
    program = os.environ.get("UNSEALED_SECANTUS") or tool("secantusd-py")
    words = [program, "--host", "127.0.0.1", "--port", str(server.port),
             "--storage-path", str(folder / "data"), "--cache-size", "64M"]  # fmt: skip
    server.start(words, cwd=folder)
    # Its own environment has pymongo; ours does not need it.
    run([str(Path(program).resolve().parent / "python"), "-c", USERS, str(server.port), PASSWORD])
    server.stop()
    server.processes.clear()
    server.start([*words, "--auth"], cwd=folder)
    yield server
    server.stop()


MONGODB = {
    "a root": (f"boss:{PASSWORD}@{HOST}/?authSource=admin", LIVE, "everything on this server"),
    "a user who may little": (f"app:{PASSWORD}@{HOST}/orders?authSource=admin", LIVE, "read the database"),
    "a wrong password": (f"app:wrong-{PASSWORD}@{HOST}/orders?authSource=admin", DEAD, "18"),
    "an unknown user": (f"who:{PASSWORD}@{HOST}/?authSource=admin", DEAD, "18"),
    "a user that was dropped": (f"gone:{PASSWORD}@{HOST}/?authSource=admin", DEAD, "18"),
    "perhaps another database's user": (f"app:{PASSWORD}@{HOST}/orders", UNSURE, "18"),
}  # fmt: skip


@pytest.mark.parametrize(("url", "status", "word"), MONGODB.values(), ids=MONGODB)
def test_mongodb_is_read_right(mongodb: Running, url: str, status: Status | str, word: str) -> None:
    judge(f"mongodb://{url}", mongodb.port, status, word)
