#!/usr/bin/env bash
# Adds CAREamics, which names a torchvision that would replace torch, and the library itself, from the project's folder.
set -euo pipefail
pip install --quiet --no-deps careamics==0.3.5
pip install --quiet --no-deps --editable "${LUSCO_PROJECT:-.}"
