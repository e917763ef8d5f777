# butler-snapshot
# Behind `frames.sh`: what a snapshot does not ask, and what proves that it is still the same phone in the same boot.
o=$(<$P/uptime) && put uptime 0
o=$(<$P/sys/kernel/random/boot_id) && put boot_id 0
s date date '+%s %z'
f props '^\[(ro.serialno|persist.sys.test_harness|ro.crypto.state|ro.crypto.type|ro.frp.pst)\]' getprop
s harness service check testharness
s volumes sm list-volumes all
f owner 'Device Policy|^ *((Device|Profile) Owner|Enabled Device Admins|admin=|package=)' dumpsys device_policy
f installs '^ *(codePath|firstInstallTime)=' dumpsys package packages
o=$($T find /sdcard/ -path /sdcard/Android -prune -o -type f -print 2>/dev/null | wc -l) && put media 0
print -r -- "$N done"
