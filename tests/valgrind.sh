#!/bin/sh
# A short training and what goes on from it under valgrind, with a loss on every layer: no invalid access, no value that was
# never set, nothing lost.  usage: valgrind.sh TRAIN
#
# valgrind knows no AVX-512, so that neither the kernels nor OpenBLAS may use it.
set -eu
train=$(realpath "$1") suppressions=$(realpath "$(dirname "$0")/valgrind.suppressions")
command -v valgrind >/dev/null || { echo 'make valgrind needs valgrind: apt-get install valgrind'; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export ENTANGLE_ISA=avx2 OPENBLAS_CORETYPE=Haswell OMP_WAIT_POLICY=passive
grep -q avx2 /proc/cpuinfo || export ENTANGLE_ISA=generic

checked() {
    valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite,indirect,possible \
        --errors-for-leak-kinds=definite,indirect,possible --num-callers=20 --suppressions="$suppressions" \
        "$train" --quiet --threads 2 "$@" || { echo "valgrind: ./train $* is not clean"; exit 1; }
    echo "valgrind: ./train $*: clean"
}

checked --preset shapes_resnet --dataset shapes --model mnist_cnn --train-limit 24 --test-limit 10 --batch 8 \
    --augment --warmup 0 --steps 2 --log-every 1 --snnl-weight 0.1 --snnl-layers '*' --run run
checked --run run --resume --steps 3
