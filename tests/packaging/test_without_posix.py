"""Where Python has nothing of POSIX, every module is imported, and plans, publications and deployments run.

What Windows lacks is taken out of the interpreter before the installed step starts, and out of its children.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.packaging.building import holding, packages_of, run
from tests.support.deploying import CLUSTER, NAMESPACE
from tests.support.installed_step import start_installed
from tests.support.scene import site
from tests.support.worker import finish

ABSENT = b"""\
import http.client, os, shutil, signal, ssl, subprocess, sys, tempfile, threading

for name in ("fcntl", "resource", "pwd", "grp", "termios", "syslog", "posix_spawn"):
    sys.modules[name] = None
for name in (
    *("SIGALRM", "SIGHUP", "SIGXCPU", "SIGXFSZ", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE"),
    *("setitimer", "getitimer", "alarm", "pause", "pthread_sigmask", "pthread_kill", "siginterrupt"),
):
    delattr(signal, name)
for name in (
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "getegid", "getpgid", "setsid", "killpg", "chown"),
    *("O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_SYNC", "WNOHANG", "mkfifo", "statvfs", "sysconf", "nice"),
    *("uname", "fchmod", "fchown", "posix_spawn", "getloadavg", "initgroups", "setuid", "sched_getaffinity"),
):
    delattr(os, name)
os.supports_dir_fd = os.supports_follow_symlinks = set()
"""
EVERY_MODULE = """\
import importlib, pkgutil, bcs_template_set
from bcs_template_set import take
take()
found = [module.name for module in pkgutil.walk_packages(bcs_template_set.__path__, "bcs_template_set.")]
for name in found:
    if not name.startswith("bcs_template_set.parts"):
        importlib.import_module(name)
print(len(found))
"""


@pytest.fixture(scope="module")
def elsewhere(programs: Path) -> Iterator[Path]:
    """Return the programs of a Python that has nothing of POSIX."""
    packages = packages_of(programs)
    module, first = packages / "without_posix.py", packages / "without_posix.pth"
    with holding({module: ABSENT, first: b"import without_posix\n"}):
        yield programs


def test_every_module_is_imported(elsewhere: Path, tmp_path: Path) -> None:
    out = run([str(elsewhere / "python"), "-I", "-c", EVERY_MODULE], cwd=tmp_path)
    assert int(out) > 200


@pytest.mark.parametrize(("action", "result"), [("plan", "planned"), ("deploy", "deployed")])
def test_the_step_runs(elsewhere: Path, tmp_path: Path, action: str, result: str) -> None:
    with site(tmp_path) as worker:
        worker.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        started = start_installed(
            worker, elsewhere, environ={}, action=action, cluster_id=CLUSTER, namespace=NAMESPACE
        )
        finished = finish(*started)
    assert finished.value("result") == result, finished.log + finished.stderr
