"""Short dumps of services: who may do what, who listens, who owns."""

from __future__ import annotations

from agent.parsers.dumps.grammar import classifier, fields, heads

_COMPONENT = r"[A-Za-z][\w.]*/[\w.$]+"

classify_accessibility = classifier(
    (
        ("heading", r"ACCESSIBILITY MANAGER \(dumpsys accessibility\)"),
        ("user", r"User state\[(?:attributes:\{id=\d+, .*)?"),
        fields(
            "attribute",
            0,
            "currentUserId hasWindowMagnificationConnection",
        ),
        ("attribute", r" {2}m[A-Z]\w* = (?:true|false|-?\d+|null)"),
        ("attribute", r" {5}attributes:\{id=\d+, .*"),
        ("service list", r" *(?:[Ii]nstalled|[Ee]nabled|[Bb]inding|[Bb]ound|[Cc]rashed) services: ?\{.*"),
        ("service", rf" +\d+ : {_COMPONENT}"),
        ("bracket", r" *\}\]?\]?"),
        (
            "filter",
            r" *(?:AccessibilityInputFilter:\{|A11yInputFilter Info : |Enabled features of Display .*)",
        ),
        ("magnifier", r"Magnifier on display#\d+|    (?:MagnificationConfig\[.*|Magnification region=.*)"),
        fields(
            "magnifier",
            4,
            "IdOfLastServiceToMagnify SupportWindowMagnification WindowMagnificationConnectionState",
        ),
        fields("shortcut", 5, r"shortcut\skey button button\starget", ":"),
        ("clients", r" *(?:Global client list info|Client list info|Registered clients):\{"),
        ("clients", r" +Client list (?:callbacks|killed|broadcasts count): \S+"),
        ("clients", r"(?:\[[\w., ]+\])+\}?\]?"),
        ("windows", r"Window attributes:\[.*"),
        ("proxies", r"Proxy manager state:|    (?:Number of|Registered) proxy connections:(?: \d+)?"),
        ("display", r"Accessibility Display Listener:|    SystemUI uid: \d+|    \d+ valid display: [\d ,]+"),
    )
)
classify_adb = classifier(
    (
        ("heading", r"ADB MANAGER STATE \(dumpsys adb\):"),
        ("bracket", r" *(?:\w+=)?[{}]"),
        fields(
            "state",
            4,
            "connected_to_adb last_key_received user_keys system_keys keystore keystore_path",
        ),
        ("key", r"[A-Za-z0-9+/=]{100,}(?: .*)?"),
        ("key", r" {4}</?keyStore.*>|    <adbKey .*/>"),
        fields("wireless", 6, "enabled network_bssid network_ssid is_trusted_network tls_port"),
    )
)
classify_appops = classifier(
    (
        ("heading", r"Current AppOps Service state:"),
        heads(
            "heading",
            2,
            "Settings\nOp mode watchers\nPackage mode watchers\nOp active watchers\nOp started watchers",
        ),
        fields("setting", 4, "top_state_settle_time fg_service_state_settle_time bg_state_settle_time"),
        ("watched", r" {4}(?:Op [A-Z_0-9]+|Pkg [\w.]+|[0-9a-f]+ ->):"),
        ("watcher", r" {6}#\d+: (?:Mode|Active|Started|Noted)\w*Callback\{.*\}"),
        ("uid", r" {2}Uid [\w]+:"),
        fields("uid state", 4, "state pendingState pendingStateCommitTime capability appWidgetVisible"),
        ("uid operation", r" {6}[A-Z_0-9]+: mode=\w+"),
        ("package", r" {4}Package [\w.\-]+:"),
        ("operation", r" {6}[A-Z_0-9]+(?:\(\d+\))? \(\w+(?: / \w+)?\): *"),
        ("attribution", r" {8}(?:null|[\w.\-]+)=\["),
        ("bracket", r" {8}\]"),
        ("use", r" {10}(?:Access|Reject): ?\[[\w\-,]+\] ?\d{4}-\d\d-\d\d .*"),
        ("use", r" {10}Running start at: .*"),
    )
)
classify_compat = classifier((("change", r"ChangeId\(\d+(?:; [^;]+)*\)"),))
classify_dbinfo = classifier(
    (
        ("heading", r"Applications Database Info:|\*\* Database info for pid \d+ \[[^\]]+\] \*\*"),
        ("pool", r"Connection pool for .*:"),
        fields(
            "pool",
            2,
            r"Attached\sdb Open Max\sconnections Total\sexecution\stime Secure\sdb Configuration",
            ":",
        ),
        ("pool", r"  Use WAL mode\."),
        (
            "connection",
            r" {2}(?:Available|Acquired) (?:primary |non-primary )?connections?: *|  Connection waiters:",
        ),
        ("connection", r" {4}(?:Connection #\d+:|<none>)"),
        fields(
            "connection",
            6,
            r"isPrimaryConnection onlyAllowReadOnlyOperations Most\srecently\sexecuted\soperations",
            ":",
        ),
        ("operation", r" {8}\d+: \[\d{4}-\d\d-\d\d [\d:.]+\] .*"),
    )
)
classify_policy = classifier(
    (
        ("heading", r"Current Device Policy Manager state: *"),
        heads(
            "heading",
            0,
            "Device policy cache\nDevice state cache\nStats\nConstants",
        ),
        heads(
            "heading",
            2,
            "Immutable state\nConstants\nStats\nLocal Policies\nGlobal Policies\nUser restrictions",
        ),
        ("owner", r" {2}(?:Device Owner|Profile Owner \(User \d+\)): *.*"),
        fields(
            "owner", 4, "admin name package isOrganizationOwnedDevice canAccessDeviceIds remoteBugreportUri"
        ),
        ("owner", r" {4}User ID: \d+"),
        ("administrators", r" {2}(?:Enabled|Removing) Device Admins \(User \d+.*"),
        ("administrator", rf" {{4}}{_COMPONENT}:"),
        fields(
            "state",
            4,
            "mHasFeature mIsWatch mIsAutomotive mHasTelephonyFeature mSafetyChecker mPasswordOwner"
            " mPasswordTokenHandle mAppsSuspended mUserSetupComplete mAffiliationIds mNewUserDisclaimer"
            " mUserControlDisabledPackages mLastResetPasswordByAdmin mFactoryResetFlags mFactoryResetReason"
            " mDelegationMap mStatusBarDisabled mDoNotAskCredentialsOnBoot mAdminBroadcastPending",
        ),
        ("state", r" {4}DAS_DIED_SERVICE_\w+: [\d.]+|    LockGuard\.guard\(\): .*"),
        fields(
            "administrator's field",
            6,
            "uid testOnlyAdmin passwordQuality minimumPasswordLength passwordHistoryLength minimumPasswordUpperCase"
            " minimumPasswordLowerCase minimumPasswordLetters minimumPasswordNumeric minimumPasswordSymbols"
            " minimumPasswordNonLetter maximumTimeToUnlock strongAuthUnlockTimeout"
            " maximumFailedPasswordsForWipe specifiesGlobalProxy passwordExpirationTimeout passwordExpirationDate"
            " encryptionRequested disableCamera disableCallerId disableContactsSearch"
            " disableBluetoothContactSharing disableScreenCapture requireAutoTime forceEphemeralUsers"
            " isNetworkLoggingEnabled disabledKeyguardFeatures crossProfileWidgetProviders"
            " organizationColor userRestrictions isParent isLogoutEnabled defaultEnabledRestrictionsAlreadySet"
            " mAlwaysOnVpnPackage mAlwaysOnVpnLockdown mCommonCriteriaMode mPasswordPolicy"
            " mPasswordComplexity mNearbyNotificationStreamingPolicy mNearbyAppStreamingPolicy"
            " mOrganizationId mEnrollmentSpecificId mAdminCanGrantSensorsPermissions"
            " mUsbDataSignalingEnabled mSuspendPersonalApps mProfileMaximumTimeOff mProfileOffDeadline"
            " mFactoryResetProtectionPolicy permittedAccessiblityServices permittedInputMethods"
            " permittedNotificationListeners mtePolicy accountTypesWithManagementDisabled",
        ),
        ("administrator's field", r" {6}policies: *|        [a-z]+(?:-[a-z]+)*"),
        (
            "policy",
            r" {4}User \d+: *| +[A-Z]\w*PolicyKey .*| +(?:Per-admin|Resolved) Policy.*:| +null| {10,}\w+Admin \{.*",
        ),
        ("policy", r" +\w+PolicyValue \{.*"),
        (
            "state",
            r" *(?:Encryption Status|Logout user|Default admin policy size limit|Current admin policy size limit): \S+",
        ),
        ("state", r" {2}Admin Policies size: *|no pending user created callback tokens"),
        fields(
            "cache",
            2,
            r"Screen\scapture\sdisallowed\susers Password\squality Permission\spolicy Content\sprotection\spolicy"
            r" Admin\scan\sgrant\ssensors\spermission Shortcuts\soverrides Device\sprovisioned Device\sOwner\sType"
            r" Has\sPO",
            ":",
        ),
        (
            "exempt apps",
            r"PersonalAppsSuspensionHelper|OverlayPackagesProvider|Other overlayable app resources",
        ),
        ("exempt apps", r" {2}[A-Za-z_ ]+: (?:empty|\d+ apps?|[A-Za-z][\w.]+)|    \d+: [A-Za-z][\w.]+"),
        ("state", r"Subscription changed listener : \S+|DPM global setting \w+ : \S+"),
    )
)
classify_role = classifier(
    (
        ("heading", r"ROLE (?:MANAGER )?STATE \(dumpsys role\):"),
        ("bracket", r" *(?:\w+=)?[\[{]| *[\]}]"),
        ("user", r" +(?:user_id|version|packages_hash|bypassing_role_qualification)=\S*"),
        ("role", r" +name=[\w.]+"),
        ("role", r" +fallback_enabled=(?:true|false)"),
        ("holder", r" +(?:holders=)?[A-Za-z][\w.]+"),
    )
)
classify_account = classifier(
    (
        ("user", r"User UserInfo\{\d+:.*\}:"),
        ("count", r" *Accounts: \d+"),
        ("account", r" *Account \{name=.*, type=[^,{}]+\}"),
        ("session count", r" *Active Sessions: \d+"),
        ("session", r" {4}Session: expectLaunch .*"),
        ("service cache", r" *RegisteredServicesCache: \d+ services"),
        ("service", r" +ServiceInfo: AuthenticatorDescription \{type=.*\}, ComponentInfo\{.*\}, uid \d+"),
        ("history", r" *(?:AccountId, Action_Type, timestamp, UID, TableName, Key|Accounts History)"),
        ("history", r" *-?\d+,action_\w+,\d{4}-\d\d-\d\d [\d:]+,-?\d+,\w+,-?\d+"),
        ("visibility", r" *Account visibility:| {4,}[\w.]+, -?\d+"),
    )
)
classify_services = classifier(
    (("heading", r"Currently running services:"), ("service name", r" {2}[A-Za-z][\w.\-/]*"))
)
