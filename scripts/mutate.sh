#!/bin/sh
# Mutates the money modules in a copy of this tree, and tells how many mutants each lost.
# Arguments are names of mutants, with wildcards; without any, all of them are tried.
# MUTATED names a copy to go on with: what was tried there is not tried again.
set -eu

bin=$(cd "$BIN" && pwd)
copy=${MUTATED:-$(mktemp -d)}
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -xf - -C "$copy"
# Tests run one folder further down, where recorded vectors are looked for beside the tree.
[ ! -d ../shared ] || ln -sfn "$(cd ../shared && pwd)" "$copy/shared"
cd "$copy"
echo "mutate: in $copy"
nice "$bin/python" -m mutmut run --max-children "${WORKERS:-1}" "$@"
"$bin/python" -m mutmut results --all true | awk '
    { mutant = $1; sub(/:$/, "", mutant); module = mutant; sub(/\.x.*/, "", module); status = $2 }
    status == "not" { next }
    { tried[module]++; all++ }
    status == "killed" || status == "timeout" { killed[module]++; dead++; next }
    { print mutant, status }
    END {
        for (module in tried)
            printf "%-32s %5d mutants, %5d killed, %5.1f %%\n",
                module, tried[module], killed[module], 100 * killed[module] / tried[module]
        if (all) printf "%-32s %5d mutants, %5d killed, %5.1f %%\n", "all", all, dead, 100 * dead / all
    }'
