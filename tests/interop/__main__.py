"""Install what the foreign clients need, then let each of them sign in, refresh, read and sign out; and foreign verifiers check the log."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.interop.support import ENVIRONMENTS, OAUTH2_PROXY

HERE = Path(__file__).parent
DEBIAN = {"node": "nodejs", "npm": "npm", "apache2": "apache2 libapache2-mod-auth-openidc", "go": "golang-go"}
LIBRARIES = {
    "libapache2-mod-auth-openidc": Path("/usr/lib/apache2/modules/mod_auth_openidc.so"),
    "golang-golang-x-mod-dev": Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog"),
}


def missing() -> list[str]:
    """Name the Debian packages whose programs are not here."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    packages = [package for program, package in DEBIAN.items() if shutil.which(program, path=path) is None]
    packages += [package for package, path in LIBRARIES.items() if not path.exists()]
    return list(dict.fromkeys(" ".join(packages).split()))


def install() -> None:
    """Install missing system packages (as root on Debian), then the pinned Node modules."""
    packages = missing()
    if packages and (os.getuid() != 0 or shutil.which("apt-get") is None):
        sys.exit(f"Missing: {' '.join(packages)}. On Debian, as root:  apt-get install {' '.join(packages)}")
    if packages:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], check=True)
    for requirements in (HERE / "python").glob("*.txt"):
        environment(requirements)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=HERE / "node", check=True)


def environment(requirements: Path) -> None:
    """Make the virtual environment of a foreign Python package, in which none of ours is."""
    folder = ENVIRONMENTS / requirements.stem
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(requirements)], check=True)


def left_out() -> list[str]:
    """Say aloud which client cannot be had here, and leave its journey out: of all of them only oauth2-proxy may be."""
    if OAUTH2_PROXY is not None:
        return []
    sys.stderr.write("oauth2-proxy is left out: Debian does not package it; put the program of that name on the PATH\n")
    return ["--ignore", str(HERE / "journey_oauth2_proxy.py")]


if __name__ == "__main__":
    install()
    sys.exit(
        subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "0", "-o", "python_files=journey_*.py", *left_out(), str(HERE), *sys.argv[1:]],
            check=False,
        ).returncode
    )
