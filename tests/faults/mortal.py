"""`lusco`, killed by -9 at a moment of its training: `python mortal.py <moment> <arguments of lusco>`."""

import os
import signal
import sys
from contextlib import contextmanager

from lusco.cli import main
from lusco.train import loop

_atomic, _batch_end = loop.atomic, loop._History.on_train_batch_end
_checkpoints = []


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


def _in_the_middle_of_an_epoch(self, trainer, *others):
    _batch_end(self, trainer, *others)
    if trainer.global_step == 15:
        _die()


@contextmanager
def _in_the_middle_of_a_checkpoint(path):
    with _atomic(path) as partial:
        yield partial
        _checkpoints.append(path)
        if len(_checkpoints) == 4:  # the best and the last of the second epoch
            os.truncate(partial, partial.stat().st_size // 2)
            _die()


moment = sys.argv.pop(1)
if moment == "epoch":
    loop._History.on_train_batch_end = _in_the_middle_of_an_epoch
else:
    loop.atomic = _in_the_middle_of_a_checkpoint
main()
