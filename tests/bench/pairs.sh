#!/bin/sh
# Times our work beside PyTorch's: in every round each piece of work is done by us, then by PyTorch, on the same
# processors, so that whatever else the machine does meets both alike. Ratios are made within a round.
#
# usage: pairs.sh BENCH_STEP BENCH_PEAK TRAIN, with these variables in the environment, all optional:
#   ROUNDS=5    rounds; the slowest work has two at most
#   ROW=NAME    only this work, or those that match a pattern ('resnet20-*')
#   ALL=1       the slow work too (one piece needs 8 GiB for PyTorch)
#   CPUS=0,1    the processors to use, as taskset takes them
set -eu
here=$(dirname "$0")
bench_step=$1 bench_peak=$2 train=$3
rounds=${ROUNDS:-5}

# name, most rounds, arguments of bench_step and pytorch_step.py
work='
resnet20-train          99 train cifar_resnet none 10
resnet20-snnl           99 train cifar_resnet fixed 10
resnet20-snnl-optimal   99 train cifar_resnet optimal 10
resnet20-inference      99 infer cifar_resnet none 20
mnist-cnn-train         99 train mnist_cnn none 20
end-to-end              99 program 100
snnl-128x16384          99 snnl 128 16384 fixed 30
snnl-2048x1024          99 snnl 2048 1024 fixed 5'
slow_work='
resnet18-train           2 train resnet18 none 4
snnl-16384x256           2 snnl 16384 256 fixed 2'

log=$(mktemp) run=$(mktemp -d)
trap 'rm -rf "$log" "$run"' EXIT
trap 'exit 130' INT TERM

pin=''
if command -v taskset >/dev/null; then
    pin="taskset -c ${CPUS:-$(taskset -cp $$ | sed 's/.*: //')}"
fi

# PyTorch as a careful user sets it up: an allocator that keeps memory, and one pool of threads instead of two.
libraries=/usr/lib/$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
tuned='' said=''
if [ -e "$libraries/libtcmalloc_minimal.so.4" ]; then
    tuned="LD_PRELOAD=$libraries/libtcmalloc_minimal.so.4" said=', tcmalloc'
fi
if [ -d "$libraries/openblas-openmp" ]; then
    tuned="$tuned LD_LIBRARY_PATH=$libraries/openblas-openmp" said="$said, OpenMP OpenBLAS"
fi
[ -n "$said" ] || said=', untuned (libtcmalloc-minimal4 and libopenblas0-openmp are not installed)'
python='' version=''
for candidate in python3 /usr/bin/python3; do
    version=$($candidate -c 'import torch; print(torch.__version__)' 2>/dev/null) && python=$candidate && break
done

one_run() { # ROUND NAME WHO COMMAND...: adds a line to the log
    round=$1 name=$2 who=$3
    shift 3
    if result=$("$@"); then
        echo "$round $name $who $result" >>"$log"
        printf 'round %d, %s, %s: %s\n' "$round" "$name" "$who" "${result%% *}" >&2
    else
        printf 'round %d, %s, %s failed\n' "$round" "$name" "$who" >&2
    fi
}

# ./train as it is, with data, augmentation and a logged row every 10 steps: milliseconds of a step.
train_program() { # STEPS
    folder=$run/$round
    $pin "$train" --preset cifar_resnet --steps "$1" --eval-every 0 --run "$folder" --quiet >/dev/null || return
    sed -n 's/.*"images_per_second":[[:space:]]*\([0-9.e+]*\).*/\1/p' "$folder/summary.json" |
        awk '{ printf "ms=%.3f gflop=0\n", 128e3 / $1 }'
}

one_round() { # ROUND, work from stdin
    while read -r name most arguments; do
        [ -n "$name" ] && [ "$1" -le "$most" ] || continue
        case $name in ${ROW:-*}) ;; *) continue ;; esac
        case $arguments in
        program*) one_run "$1" "$name" ours train_program ${arguments#program } </dev/null ;;
        *) one_run "$1" "$name" ours $pin "$bench_step" $arguments </dev/null ;;
        esac
        case "$python $arguments" in
        ' '* | *' optimal '* | *' program '*) ;; # no PyTorch, or nothing to compare with
        *) one_run "$1" "$name" PyTorch $pin env $tuned "$python" "$here/pytorch_step.py" $arguments </dev/null ;;
        esac
    done
}

echo "processor  $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), ${pin:-not pinned}," \
    "load $(cut -d' ' -f1 /proc/loadavg) before"
if [ -n "$python" ]; then
    echo "PyTorch    $version, channels_last$said"
else
    echo "PyTorch    not installed (Debian: apt-get install python3-torch): our times only"
fi
[ -z "${ALL:-}${ROW:-}" ] || work="$work$slow_work"
for round in $(seq "$rounds"); do
    one_round "$round" <<END
$work
END
done
one_run 0 peak machine $pin "$bench_peak"
if ! grep -qv '^0 ' "$log"; then
    echo "nothing was timed: ROW=${ROW:-*} must match one of" $(echo "$work" | cut -d' ' -f1) >&2
    exit 1
fi
echo
awk -f "$here/median.awk" -f "$here/table.awk" "$log"
