# butler-snapshot
# Behind `frames.sh`. What proves the phone on comes first and is read without starting a process.
o=$(<$P/uptime) && put uptime 0
o=$(<$P/sys/kernel/random/boot_id) && put boot_id 0
s getprop getprop
f global '^(boot_count|airplane_mode_on|device_provisioned|adb_wifi_enabled|development_settings_enabled)=' settings list global
f secure '^(android_id|user_setup_complete|install_non_market_apps|enabled_accessibility_services|enabled_notification_listeners|default_input_method|(sms|dialer)_default_application|assistant)=' settings list secure
s battery dumpsys battery
f screen 'mWakefulness=' dumpsys power
J=/data/local/tmp/butler-journal.sh
[[ -r $J ]] && s journal sh $J contact $A
s users pm list users
us=
for w in $o; do
case $w in
UserInfo{*:*)
u=${w#UserInfo?}
u=${u%%:*}
case $u in
*[!0-9]*) ;;
*) us="$us $u" ;;
esac ;;
esac
done
for u in ${us:-0}; do
s packages.$u pm list packages -i --show-versioncode --user $u || s packages.$u pm list packages -i --user $u
s system.$u pm list packages -s --user $u
s disabled.$u pm list packages -d --user $u
done
f accounts '^User UserInfo|^ *Accounts: [0-9]|^ *Account \{' dumpsys account
s imei service call iphonesubinfo 1 s16 com.android.shell
s storage stat -f -c %S:%b:%a /data
f lock '^ *User [0-9]|CredentialType:' dumpsys lock_settings
f trust 'deviceLocked=' dumpsys trust
s sources appops query-op --user 0 REQUEST_INSTALL_PACKAGES allow
s selinux getenforce
# Places that shell may look into; one of them is enough, none of them proves nothing.
o=; for w in $(command -v su) /sbin/su /su/bin/su /system/sbin/su /system/bin/.ext/su /vendor/bin/su /data/local/su /data/local/bin/su /data/local/xbin/su /debug_ramdisk/su; do [[ -e $R$w ]] && o="$o $w"; done; put su 0
f policy 'Device Policy|[Oo]wner|Admins|^ *(admin=|package=|User ID:|[^ =]+/[^ =]+:)' dumpsys device_policy
s roles dumpsys role
# Before Android 10 there are no roles; which launcher it is must then be asked for by itself.
[[ $o = *role.HOME* ]] || f home packageName= cmd package resolve-activity --user 0 -a android.intent.action.MAIN -c android.intent.category.HOME
f details '^ *Package \[|^ *version(Code|Name)=|^ *signatures=|^ *User [0-9]+:|^Hidden|^Packages:' dumpsys package packages
# What the phone itself noted of its power, by its own clock: long dumps, so they are asked for once a boot.
[[ -n $H ]] && f usagestats '^user=|type=DEVICE_(SHUTDOWN|STARTUP)' dumpsys usagestats
[[ -n $H ]] && f batterystats '^Battery History|TIME: [0-9]|START$|SHUTDOWN' dumpsys batterystats --history
print -r -- "$N done"
