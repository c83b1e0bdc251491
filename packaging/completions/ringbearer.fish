# SPDX-License-Identifier: MIT
# fish completion for ringbearer: the program itself says what may come.

function __ringbearer_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c ringbearer -f -a '(__ringbearer_complete)'
