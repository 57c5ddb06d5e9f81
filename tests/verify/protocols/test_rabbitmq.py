"""
RabbitMQ itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from scanner.model import Status
from tests.verify.protocols.scene import HOST, judge
from tests.verify.protocols.servers import (
    PASSWORD,
    Running,
    as_user,
    free_port,
    owned_by,
    run,
    tool,
)

pytestmark = pytest.mark.servers
LIVE, DEAD = Status.ACTIVE, Status.INACTIVE


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("amqp")
    owned_by(folder, "rabbitmq")
    server = Running(free_port(), folder)
    distribution, mapper = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "RABBITMQ_NODENAME": f"t{server.port}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "db"), "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_NODE_PORT": str(server.port), "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONFIG_FILE": str(folder / "none"), "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper), "RABBITMQ_PID_FILE": str(folder / "pid"),
    }  # fmt: skip
    binaries = next(
        p for p in ("/usr/lib/rabbitmq/bin", "/usr/sbin") if os.path.exists(f"{p}/rabbitmqctl")
    )
    cookie = folder / ".erlang.cookie"
    cookie.write_text("loopback")
    shutil.chown(cookie, "rabbitmq", "rabbitmq")
    cookie.chmod(0o400)
    user = as_user("rabbitmq")
    server.start(
        [*user, f"{binaries}/rabbitmq-server"], seconds=300, env=environment, cwd=str(folder)
    )
    control = [*user, f"{binaries}/rabbitmqctl", "-n", environment["RABBITMQ_NODENAME"]]
    run([*control, "await_startup"], env=environment, cwd=str(folder))
    run([*control, "add_user", "app", PASSWORD], env=environment, cwd=str(folder))
    run([*control, "set_permissions", "app", "", "", ""], env=environment, cwd=str(folder))
    run([*control, "add_vhost", "closed"], env=environment, cwd=str(folder))
    for name in ("changed", "shut", "gone"):
        run([*control, "add_user", name, PASSWORD], env=environment, cwd=str(folder))
    run(
        [*control, "change_password", "changed", f"new-{PASSWORD}"],
        env=environment,
        cwd=str(folder),
    )
    run([*control, "clear_password", "shut"], env=environment, cwd=str(folder))
    run([*control, "delete_user", "gone"], env=environment, cwd=str(folder))
    yield server
    run([*control, "stop"], env=environment, cwd=str(folder))
    server.stop()
    run([tool("epmd"), "-port", str(mapper), "-kill"])


RABBITMQ = {
    "a user": (f"app:{PASSWORD}@{HOST}", LIVE, "virtual host /"),
    "a wrong password": (f"app:wrong-{PASSWORD}@{HOST}", DEAD, "403"),
    "an unknown user": (f"who:{PASSWORD}@{HOST}", DEAD, "403"),
    "a changed password": (f"changed:{PASSWORD}@{HOST}", DEAD, "403"),
    "a user without a password": (f"shut:{PASSWORD}@{HOST}", DEAD, "403"),
    "a user that was deleted": (f"gone:{PASSWORD}@{HOST}", DEAD, "403"),
    "no such virtual host": (f"app:{PASSWORD}@{HOST}/nowhere", LIVE, "530"),
    "no right to the virtual host": (f"app:{PASSWORD}@{HOST}/closed", LIVE, "530"),
}


@pytest.mark.parametrize(("url", "status", "word"), RABBITMQ.values(), ids=RABBITMQ)
def test_rabbitmq_is_read_right(
    rabbitmq: Running, url: str, status: Status | str, word: str
) -> None:
    judge(f"amqp://{url}", rabbitmq.port, status, word)
