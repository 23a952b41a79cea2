"""Train the network that Digitre serves, or measure it.

    DIGITRE_DATA=/path/to/data python train.py

trains it from nothing on two processor cores in an hour to an hour and a half, and ends with the table of what it
reaches on drawings that it has not seen. Expect on MNIST's test set some 99.6 % read right, and on
drawings of other people 98.5 to 99.3 %; `models/digitre.json` has the shipped network's
figures. Without DIGITRE_DATA it trains on MNIST alone, and says which sets are missing.

    python train.py --evaluate                    measure the network in models/
    python train.py --evaluate --target-accuracy 99.3     and fail where MNIST test is below
    python train.py --resume                      go on where a training was stopped
    python train.py --share 0.1 --epochs 3        a trial of a few minutes, kept in training/
    python train.py --images DIR                  learn your own pictures too, kept in training/
    python train.py --report                      measure models/ again, and draw its report
    python train.py --finetune                    go on from the shipped network, for some epochs
    python train.py --drawings                    learn the accepted saved drawings too
    python train.py --drawings --finetune         the same in minutes, from the network that is served
    python train.py --network mlp-256             a published demo's network by its own recipe
    python train.py --teacher                     train the network that the shipped one learns from

What has learned saved drawings is kept in DIGITRE_MODELS, and promoted only if it passes its gates
(exit status 1 if not); `make reload` lets running workers take it. The teacher takes as long again as
the network itself, and is kept in models/teacher.keras.

Nothing in `models/` changes before a training has come to its end. Another backend of Keras
trains as well, as in KERAS_BACKEND=torch; the LiteRT file is always made by TensorFlow.
"""

import sys

from digitre.training.command import main

if __name__ == "__main__":
    sys.exit(main(about=__doc__))
