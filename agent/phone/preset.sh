# butler-snapshot
# Behind `frames.sh`: since when each app is on the phone, by the phone's own clock.
s date date '+%s %z'
f times '^ *Package \[|^ *(codePath|firstInstallTime)=|^ *User [0-9]+:|^Hidden' dumpsys package packages
print -r -- "$N done"
