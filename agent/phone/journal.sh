# butler-journal
# Lies on the phone beside its files; mksh and toybox of Android 7 to 16. "run" writes a line a minute for as long as it
# lives; "contact" is called within every snapshot: it forgets what the agent has on its disk, starts the run if none is
# at work, and prints what earlier runs left. No wakelock: while the phone sleeps the pace slows down, see docs/agent.md.
# A line: format serial boot count first-uptime uptime number battery charging airplane sim end, then a check over its
# numbers and its length: a line that lost a piece, or a digit, is none.
V=1
D=${0%/*}
L=$D/butler-journal
P=${BUTLER_PROC:-/proc}
NL="
"
boot() { b=; read -r b <$P/sys/kernel/random/boot_id; }
now() { u=; read -r u x <$P/uptime; }
# A value is one word, or "-" for not known: a blank in it would shift all others.
word() { case $o in ""|*[!A-Za-z0-9._:,-]*) o=- ;; esac; }
line() {
n=$((n + 1))
l="1 $s $b $c $a $u $n $lev $chg $air $sim $1"
i=$c
[[ $c = - ]] && i=0
l="$l $(((10#${u%.*} % 9973 * 211 + 10#${u#*.} * 89 + n % 9973 * 31 + 10#$i % 9973 * 17 + ${#l}) % 9973))"
print -r -- "$l" >>$L.log
print -r -- "$l" >$L.now
}
# After "$NL  $1: ": dumpsys battery, whose vendors add lines.
field() {
v=${o#*"$NL  $1: "}
[[ $v = "$o" ]] && v=
v=${v%%[!0-9]*}
}
look() {
lev=- chg=-
o=$(dumpsys battery 2>/dev/null)
case $o in
*UPDATES\ STOPPED*) ;;
*) field scale; w=${v:-100}
field level
[[ -n $v && $w -gt 0 && $v -le $w ]] && lev=$((100 * v / w))
field status
case $v in 2|5) chg=1 ;; 3|4) chg=0 ;; esac ;;
esac
o=$(getprop gsm.sim.state); word; sim=$o
# Before Android 8 "settings" starts a virtual machine.
if [[ $k -ge 26 || $((n % 10)) -eq 0 ]]; then
o=$(settings get global airplane_mode_on 2>/dev/null)
case $o in [01]) air=$o ;; *) air=- ;; esac
fi
# Until it has booted the setting still holds the former boot's number.
if [[ $c = - && $(getprop sys.boot_completed) = 1 ]]; then
o=$(settings get global boot_count 2>/dev/null)
case $o in ""|*[!0-9]*) ;; *) c=$o ;; esac
fi
}
# Only init's own word makes a shutdown of it: a killed job is no phone that is off.
down() {
trap "" TERM
now
e=open
case $(getprop sys.powerctl) in shutdown*|reboot*|thermal-shutdown*) e=shutdown ;; esac
line $e
kill $j
exit 0
}
# Whether the pid file still names this run: another one may have taken over.
mine() { q=; read -r q x <$L.pid; [[ $q = $$ ]]; }
case $1 in
run)
trap "" HUP INT QUIT
boot
now
[[ -n $b && -n $u ]] || exit 1
(set -C; print -r -- "$$ $b" >$L.pid) || exit 0
o=$(getprop ro.serialno); [[ -n $o ]] || o=$(getprop ro.boot.serialno)
word; s=$o
k=$(getprop ro.build.version.sdk)
a=$u n=0 c=- air=- j=
trap down TERM
while mine; do
look
now
line open
[[ $((n % 240)) -eq 0 ]] && mv -f $L.log $L.old
sleep ${BUTLER_TICK:-60} &
j=$!
wait $j
done ;;
contact)
shift
boot
now
set +f
for t; do rm -f $L.out.$t; done
print v $V
p= h=
[[ -s $L.pid ]] && read -r p h <$L.pid
if [[ $h = "$b" ]] && kill -0 $p && [[ $(</proc/$p/cmdline) = *butler-journal* ]]; then
print r 1
print -r -- "c $(<$L.now)"
else
print r 0
# Beyond that many the next run goes on in the same file: whoever never comes to collect shall not fill the phone.
set -- $L.out.*
if [[ $# -lt 32 ]]; then
t=${b%%-*}.$u
[[ -s $L.old ]] && mv -f $L.old $L.out.$t.0
[[ -s $L.log ]] && mv -f $L.log $L.out.$t.1
fi
rm -f $L.pid $L.now
setsid nohup sh $0 run </dev/null >/dev/null 2>&1 &
fi
i=0
for f in $L.out.*; do
[[ -s $f && $i -lt 8 ]] || continue
i=$((i + 1))
t=${f#$L.out.}
print -r -- "f $t"
print -r -- "$(<$f)"
print -r -- "e $t"
done ;;
esac
