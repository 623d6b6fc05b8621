# Completion of the entangle-... programs in bash. What can be completed is asked of the program itself (--help=options:
# experiments/common/option_list.h), so that this file knows no option. Installed where bash-completion finds it; without
# that, `source` it.

# The field $2 of the option $1's line of what $options holds.
_entangle_field() {
    awk -F '\t' -v name="$1" -v field="$2" '$1 == name { print $field }' <<<"$options"
}

# Folders, for a value; and other files, unless $1 is -d.
_entangle_files() {
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen "${1--f}" -- "$word")
}

# Values of the option $1 that begin with $word.
_entangle_values() {
    case $(_entangle_field "$1" 2) in
    word)
        mapfile -t COMPREPLY < <(compgen -W "$(_entangle_field "$1" 5)" -- "$word")
        # such a name may also be that of a file
        [ ${#COMPREPLY[@]} -gt 0 ] || _entangle_files ;;
    file) _entangle_files ;;
    folder) _entangle_files -d ;;
    esac
}

_entangle_names() {
    mapfile -t COMPREPLY < <(compgen -W "$(awk -F '\t' '{ print "--" $1 } $2 == "nothing" { print "--no-" $1 }' \
        <<<"$options") --help --version" -- "$word")
}

_entangle() {
    local options word=$2 name=''
    options=$("$1" --help=options 2>/dev/null) || return
    # --name=value: bash makes three words of it where = divides words
    if [[ $3 == --* && $word == = ]]; then
        name=${3#--} word=''
    elif [[ $COMP_CWORD -ge 2 && ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
        name=${COMP_WORDS[COMP_CWORD - 2]#--}
    elif [[ $3 == --* && $word != --* ]]; then
        name=${3#--}
    fi
    if [ -n "$name" ] && [[ $(_entangle_field "$name" 2) != @(|nothing) ]]; then
        _entangle_values "$name"
    else
        _entangle_names
    fi
}

_entangle_fetch() {
    mapfile -t COMPREPLY < <(compgen -W "--if-missing --help $("$1" --help | sed -n 's/.*one of://p')" -- "$2")
}

complete -F _entangle_fetch entangle-fetch
complete -F _entangle $(compgen -c entangle- | grep -v -x entangle-fetch | sort -u)
