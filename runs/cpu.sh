#!/usr/bin/env bash
# The whole chain as a toy, on a plain CPU: ten to fifteen minutes on two cores, from nothing to a clip.
#   runs/cpu.sh [FOLDER]      run it again to go on after an interruption
set -euo pipefail
cd "$(dirname "$0")/.."
make --silent setup

folder="$(realpath -m "${1:-out/toy}")"
.venv/bin/daybreak train toy --resume --out "$folder"

# A model's name is its folder's name under DAYBREAK_DATA_DIR/models.
mkdir -p "$folder/data/models"
ln -sfn "$folder/model" "$folder/data/models/toy"
DAYBREAK_DATA_DIR="$folder/data" .venv/bin/daybreak generate --model toy --seed 1 --seconds 2 \
  -o "$folder/toy.mp4" "a brown dog runs across a meadow at sunset"
