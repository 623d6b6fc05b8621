#!/bin/sh
# Times our work beside PyTorch's: in every round each piece of work is done by us, then by PyTorch, on the same
# processors, so that whatever else the machine does meets both alike. Ratios are made within a round.
#
# usage: pairs.sh BENCH_STEP, with these variables in the environment, all optional:
#   ROUNDS=5    rounds; the slowest work has two at most
#   ROW=NAME    only this work, or those that match a pattern ('resnet20-*')
#   ALL=1       the slow work too (one piece needs 8 GiB for PyTorch)
#   CPUS=0,1    the processors to use, as taskset takes them
set -eu
here=$(dirname "$0")
bench_step=$1
rounds=${ROUNDS:-5}

# name, most rounds, arguments of bench_step and pytorch_step.py
work='
resnet20-train          99 train cifar_resnet none 10
resnet20-snnl           99 train cifar_resnet fixed 10
resnet20-snnl-optimal   99 train cifar_resnet optimal 10
resnet20-inference      99 infer cifar_resnet none 20
mnist-cnn-train         99 train mnist_cnn none 20
snnl-128x16384          99 snnl 128 16384 fixed 30
snnl-2048x1024          99 snnl 2048 1024 fixed 5'
slow_work='
resnet18-train           2 train resnet18 none 4
snnl-16384x256           2 snnl 16384 256 fixed 2'

log=$(mktemp)
trap 'rm -f "$log"' EXIT
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
    if result=$($pin "$@"); then
        echo "$round $name $who $result" >>"$log"
        printf 'round %d, %s, %s: %s\n' "$round" "$name" "$who" "${result%% *}" >&2
    else
        printf 'round %d, %s, %s failed\n' "$round" "$name" "$who" >&2
    fi
}

one_round() { # ROUND, work from stdin
    while read -r name most arguments; do
        [ -n "$name" ] && [ "$1" -le "$most" ] || continue
        case $name in ${ROW:-*}) ;; *) continue ;; esac
        one_run "$1" "$name" ours "$bench_step" $arguments </dev/null
        case "$python $arguments" in
        ' '* | *' optimal '*) ;; # no PyTorch, or nothing to compare with
        *) one_run "$1" "$name" PyTorch env $tuned "$python" "$here/pytorch_step.py" $arguments </dev/null ;;
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
if [ ! -s "$log" ]; then
    echo "nothing was timed: ROW=${ROW:-*} must match one of" $(echo "$work" | cut -d' ' -f1) >&2
    exit 1
fi
echo
awk -f "$here/table.awk" "$log"
