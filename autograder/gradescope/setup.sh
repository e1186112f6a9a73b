#!/usr/bin/env bash
# Installs the environment that grades notebooks, as root, once for each image: Python under /opt, where the
# students' users can read it, and the locked requirements. No conda, no TeX, no browser. The kit itself is not here
# yet (`otter grade` adds it afterwards); a .pth file tells Python its future path.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
source=/autograder/source
home=/opt/mnist-kit

say() { echo "mnist-kit setup: $*"; }

has() { python3 -c "import sys, ensurepip, venv; sys.exit(not ($1))" 2>/dev/null; }

packages=()
has True || packages+=(python3 python3-venv)
ldconfig -p | grep -q libseccomp.so.2 || packages+=(libseccomp2)
[[ -e /etc/ssl/certs/ca-certificates.crt ]] || packages+=(ca-certificates)
if ((${#packages[@]})); then
  say "installing ${packages[*]}"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

python3 -m venv "$home/uv"
"$home/uv/bin/pip" install --quiet --disable-pip-version-check uv
uv=$home/uv/bin/uv
export UV_PYTHON_INSTALL_DIR=$home/python UV_LINK_MODE=copy

# TensorFlow has wheels for these versions. If Python is another one, or only root can read it, uv installs one.
if has '(3, 11) <= sys.version_info < (3, 14) and not sys.base_prefix.startswith("/root")'; then
  python=$(command -v python3)
else
  say "python3 is not suitable; uv installs one"
  "$uv" python install --quiet 3.12
  python=$("$uv" python find --managed-python 3.12)
fi
say "using $("$python" --version), $python"

"$uv" venv --quiet --python "$python" "$home/venv"
"$uv" pip install --quiet --no-cache --python "$home/venv/bin/python" --require-hashes \
  --requirement "$source/requirements.txt"
packages_folder=$("$home/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# Headers for building extensions, and a browser's driver for making PDFs.
rm -rf "$packages_folder/tensorflow/include" "$packages_folder/playwright/driver"
# Import everything once, which leaves bytecode; otherwise every container would compile it before grading.
HOME=/tmp "$home/venv/bin/python" -c '
import h5py, keras, matplotlib.pyplot, tensorflow as tf
import IPython.core.interactiveshell, jinja2, nbformat, otter.test_files, pydantic, rich.progress, ruamel.yaml
import sqlalchemy.dialects.sqlite, sqlalchemy.orm, typer
tf.keras.Sequential, keras.datasets.mnist
' 2>/dev/null
echo "$source/files" >"$packages_folder/mnist-kit.pth"
rm -rf "$home/uv"
"$home/venv/bin/python" -c 'import autograder' 2>/dev/null && say "the kit is at $source/files" || true
say "done"
