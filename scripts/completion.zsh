#compdef -P entangle-*
# Completion of the entangle-... programs in zsh; like completion.bash it asks the program itself (--help=options).

# The list's fields: name, kind of value, what it is called, default, words, help.
_entangle_specifications() {
    local line help action
    local -a field
    while IFS= read -r line; do
        field=("${(@ps:\t:)line}")
        help=${${field[6]//\[/\\[}//\]/\\]}
        case $field[2] in
        nothing)
            specifications+=("--$field[1][$help]" "--no-$field[1][not: $help]")
            continue ;;
        word) action="($field[5])" ;;
        file) action=_files ;;
        folder) action='_files -/' ;;
        *) action=' ' ;;
        esac
        specifications+=("--$field[1]=[$help]:${field[3]//:/ }:$action")
    done
}

if [[ ${words[1]:t} == entangle-fetch ]]; then
    _arguments --if-missing --help "*:data set:($($words[1] --help | sed -n 's/.*one of://p'))"
else
    local -a specifications
    _entangle_specifications < <($words[1] --help=options 2>/dev/null)
    _arguments $specifications '--help[all options]' '--version[the version of the program]'
fi
