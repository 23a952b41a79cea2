"""Put the files of the npm package together: `python packages/digit-pad/pack.py FOLDER`. `make package` runs it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import rjsmin

import digitre
from digitre import Classifier
from digitre.recognition import packed

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def modules(folder: Path, entry: str) -> set[str]:
    """The names of the module `entry`, and of all that it imports."""
    found: set[str] = set()
    rest = [entry]
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += re.findall(r'from "\./([a-z_]+\.js)"', (folder / name).read_text())
    return found


def main(target: Path) -> None:
    """Fill the folder: modules, types, the network, licence and notices."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    static = ROOT / "digitre" / "static"
    for name in modules(static, "digit_pad.js"):
        # Without comments and blanks, which are a third of what a page would load.
        (target / name).write_text(rjsmin.jsmin((static / name).read_text()) + "\n")
    for name in ("README.md", "NOTICE.md", "digit_pad.d.ts", "digitre.d.ts"):
        shutil.copyfile(HERE / name, target / name)
    shutil.copyfile(ROOT / "LICENSE", target / "LICENSE")
    description = json.loads((HERE / "package.json").read_text())
    description["version"] = digitre.__version__
    (target / "package.json").write_text(json.dumps(description, indent=2) + "\n")
    network = Classifier()
    packed.write(network.path, network.model, target / "network.bin")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
