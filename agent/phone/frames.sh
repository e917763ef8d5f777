# The head of every script that reads a phone in one stream: mksh and toybox of Android 7 to 16. Each section stands
# between a begin and an end line that carry a number chosen for this call, so that nothing which a phone or an app
# prints can pass for one.
set -f
set -o pipefail
exec </dev/null
P=${BUTLER_PROC:-/proc}
R=$BUTLER_ROOT
T=
command -v timeout >/dev/null && T="timeout 15"
# A failed service's words pass the filters of f, too.
E='^Permission Denial|SecurityException|^Error|^Can.t find service|not found$|DUMP TIMEOUT'
put() { print -r -- "$N b $1
$o
$N e $1 $2"; return $2; }
# s SECTION COMMAND...: everything that the command prints.
s() { n=$1; shift; o=$($T "$@" 2>&1); put $n $?; }
# f SECTION PATTERN COMMAND...: only the lines that are needed.
f() { n=$1; p=$2; shift 2; o=$($T "$@" 2>&1 | grep -E "$p|$E"); put $n $?; }
