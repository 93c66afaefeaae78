#!/usr/bin/env bash
# The whole recipe of the built-in model `dawn`, from nothing: plan for a day or more on a CPU.
#   runs/reproduce.sh [FOLDER]      run it again to go on after an interruption
set -euo pipefail
cd "$(dirname "$0")/.."
make --silent setup

folder="$(realpath -m "${1:-out/dawn}")"
# Stage by stage, so that each one's end is seen; `--stage publish` alone writes the model of an unfinished run.
for stage in vae text latents transformer publish; do
  .venv/bin/daybreak train dawn --resume --stage "$stage" --out "$folder"
done
echo "the model is in $folder/model: copy it to src/daybreak/weights/dawn, or to DAYBREAK_DATA_DIR/models/dawn"
