"""Train the network that Digitre serves, or measure it.

    DIGITRE_DATA=/path/to/data python train.py

trains it from scratch, on two CPU cores in an hour to an hour and a half, and prints a table of what it
reaches on drawings that it has not seen. Expect about 99.6 % on MNIST's test set, and 98.5 to 99.3 % on
drawings of other people; `models/digitre.json` has the figures of the shipped network. Without
DIGITRE_DATA it trains on MNIST alone, and names the missing sets.

    python train.py --evaluate                    measure the network in models/
    python train.py --evaluate --target-accuracy 99.3     and exit with 1 if MNIST test is below
    python train.py --resume                      continue a stopped training
    python train.py --share 0.1 --epochs 3        a trial of a few minutes, kept in training/
    python train.py --images DIR                  also learn your own images, kept in training/
    python train.py --report                      measure models/ again, and draw its report
    python train.py --page                        only regenerate docs/model.md
    python train.py --finetune                    continue from the shipped network for some epochs
    python train.py --drawings                    also learn the accepted saved drawings
    python train.py --drawings --finetune         the same in minutes, from the network that is served
    python train.py --network mlp-256             a published demo's network by its own recipe
    python train.py --teacher                     train the network that the shipped one learns from

These are `digitre train`, `evaluate`, `report`, `retrain`, `baseline` and `teacher`: `digitre train --help`
and the like show all options.

A network that learned saved drawings is kept in DIGITRE_MODELS, and promoted only if it passes its
gates (the exit status is 1 if not); after `make reload` it is served. The teacher takes as long again
as the network itself, and is kept in models/teacher.keras.

Nothing in `models/` changes before a training has finished. Another backend of Keras trains as well, for
example KERAS_BACKEND=torch; TensorFlow always makes the LiteRT file.
"""

import sys

from digitre.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]], prog_name="digitre")
