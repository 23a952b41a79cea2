"""A machine for a test: systemd, over the files of this one, in namespaces of its own.

What it changes is in memory, and gone when it ends. It has no network but its own loopback.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from skips import NO_MACHINE

PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"

# A control group for all of its processes, since systemd makes groups below its own.
OUTSIDE = """
mount --make-rprivate /
mount -t tmpfs tmpfs "$FOLDER"
cd "$FOLDER"
mkdir groups changes work root
mount -t cgroup2 cgroup2 groups
mkdir "groups/$NAME"
echo $$ >"groups/$NAME/cgroup.procs"
ip link set lo up
exec unshare --cgroup --pid --fork --kill-child sh -euc "$INSIDE"
"""

# /proc/sys and /sys cannot be written to, as in other containers: they belong to this machine too.
INSIDE = """
mount -t overlay overlay -o "lowerdir=/,upperdir=$FOLDER/changes,workdir=$FOLDER/work" root
cd root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in run tmp dev; do mount -t tmpfs tmpfs "$folder"; done
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
ln -s pts/ptmx dev/ptmx
mkdir -p mnt/checkout mnt/shared mnt/before
mount --bind "$CHECKOUT" mnt/checkout
mount -o remount,bind,ro mnt/checkout
mount --bind "$SHARED" mnt/shared
for unit in getty.target postgresql.service apt-daily.timer apt-daily-upgrade.timer; do
    ln -sfn /dev/null "etc/systemd/system/$unit"
done
pivot_root . mnt/before
umount -l /mnt/before
exec env -i container=test PATH="$PATH" /lib/systemd/systemd --log-target=journal --show-status=no
"""


@dataclass(frozen=True)
class Machine:
    """A machine that runs.

    Attributes:
        pid: the process ID of its systemd, as this machine knows it.
        shared: the folder that it has at /mnt/shared.
    """

    pid: int
    shared: Path

    def run(
        self, *command: str, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there, as root, and return what it printed; it may fail."""
        spaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup"]
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", *spaces, "--wdns=/", *command],
            env={"PATH": PATH, **(settings or {})},
            capture_output=True,
            text=True,
        )

    def output(self, *command: str, settings: Mapping[str, str] | None = None) -> str:
        """What a command printed there, which must succeed."""
        done = self.run(*command, settings=settings)
        if done.returncode:
            journal = self.run("journalctl", "--no-pager", "--lines=40").stdout
            pytest.fail(f"{command}: {done.stdout}\n{done.stderr}\n{journal}")
        return done.stdout


@contextmanager
def machine(checkout: Path, shared: Path, folder: Path) -> Iterator[Machine]:
    """Start a machine, and end it with all that runs there.

    Args:
        checkout: a folder that it has at /mnt/checkout, to read.
        shared: one that it has at /mnt/shared.
        folder: an empty one, which it hides while it runs.

    Skips the test where no such machine can be started.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can start another machine")
    name = f"digitre-{os.getpid()}"
    settings = {
        "PATH": PATH,
        "FOLDER": str(folder),
        "NAME": name,
        "CHECKOUT": str(checkout),
        "SHARED": str(shared),
        "INSIDE": INSIDE,
    }
    spaces = ["--mount", "--net", "--uts", "--ipc"]
    log = shared / "machine.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            ["unshare", *spaces, "sh", "-euc", OUTSIDE], env=settings, stdout=file, stderr=file
        )
    try:
        yield _wait_for_systemd(process, shared, log)
    finally:
        process.kill()
        process.wait()
        # The groups are in a tree that all machines here share. They are empty, some moments later.
        remove = (
            'mount -t cgroup2 cgroup2 "$FOLDER"; cd "$FOLDER";'
            'for trial in $(seq 100); do find "$NAME" -depth -type d -exec rmdir {} + '
            '2>/dev/null || true; [ -e "$NAME" ] || exit 0; sleep 0.1; done'
        )
        subprocess.run(["unshare", "--mount", "sh", "-euc", remove], env=settings, check=True)


def _wait_for_systemd(process: subprocess.Popen, shared: Path, log: Path) -> Machine:
    """The machine, once its systemd has started all units."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            there = Machine(int(children[0]), shared)
            state = there.run("systemctl", "is-system-running").stdout.strip()
            if state in ("running", "degraded"):
                return there
        time.sleep(0.2)
    pytest.skip(f"{NO_MACHINE}: {log.read_text().strip()}")
