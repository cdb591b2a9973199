"""Map the four rooms of the repository into the one import package `xenconform`.

Everything else is declared in pyproject.toml; setuptools has no declarative way to
say "these top-level folders are sub-packages of that name", so this file says it.
"""

from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
ROOMS = ("models", "strategies", "reports", "conformance")
PACKAGES = {
    "xenconform": "src/xenconform",
    **{
        ".".join(("xenconform", *init.parent.relative_to(ROOT).parts)): init.parent.relative_to(ROOT).as_posix()
        for room in ROOMS
        for init in sorted((ROOT / room).rglob("__init__.py"))
    },
}

setup(packages=list(PACKAGES), package_dir=PACKAGES)
