"""`dumpsys package`, whole: what is installed, and the tables of who answers what."""

from __future__ import annotations

from agent.parsers.dumps.grammar import Rules, classifier, fields, heads

_NAME = r"[\w.\-]+"

_SHARED: Rules = (
    ("packages", r"(?:Packages|Hidden system packages|Renamed packages): *"),
    ("table", r"(?:Activity|Receiver|Service|Provider) Resolver Table:"),
    (
        "permissions",
        r"Permissions:|AppOp Permissions:|Shared users:|Permission trees?:|Registered ContentProviders:",
    ),
    (
        "permissions",
        r"ContentProvider Authorities:|Preferred Activities.*:|Key Set Manager:|Default permissions.*:",
    ),
    ("section", r" {2}APEX session state:"),
    heads(
        "section",
        0,
        """Database versions
        Verifiers
        Intent Filter Verifier
        Domain Verifier
        Libraries
        Features
        Active APEX packages
        Inactive APEX packages
        Factory APEX packages
        Active install Logging info
        Package warning messages
        Dexopt state
        Compiler stats
        Queries
        Package Changes
        Domain verification status
        Protected broadcast actions
        Service permissions
        Active install sessions
        Historical install sessions
        Snapshot statistics""",
    ),
)
_TOP: Rules = (
    heads("database", 2, "Internal\nExternal"),
    fields("version", 4, "sdkVersion fingerprint buildFingerprint volumeUuid"),
    ("verifier", r" {2}(?:Required|Optional|Using): [\w., ]+(?:\(uid=\d+\))?"),
    ("library", r" {2}[\w.]+(?: ->|: version) .*"),
    ("feature", r" {2}[a-z][\w.]+(?: version=\d+)?"),
    ("log", r" {2}\[\]| {4}\d{13}: .*"),
)
_PACKAGES: Rules = (
    ("package", rf" {{2}}Package \[{_NAME}\] \([0-9a-f]+\):"),
    fields(
        "package field",
        4,
        "userId appId sharedUser pkg codePath resourcePath legacyNativeLibraryDir extractNativeLibs primaryCpuAbi"
        " secondaryCpuAbi cpuAbiOverride versionCode versionName usesNonSdkApi splits apkSigningVersion"
        " applicationInfo flags privateFlags privatePkgFlags pkgFlags forceQueryable queriesPackages queriesIntents"
        " queriesProviders dataDir supportsScreens timeStamp firstInstallTime lastUpdateTime installerPackageName"
        " installerPackageUid initiatingPackageName originatingPackageName updateOwnerPackageName packageSource"
        " appMetadataFilePath volumeUuid signatures installPermissionsFixed loadingProgress loadingCompletedTime"
        " domainSetId isOrphaned mimeGroups gids baseRevisionCode pageSizeCompat appMetadataSource"
        " installInitiatorSignatures isStub isLoading",
    ),
    heads(
        "package list",
        4,
        """declared permissions
        requested permissions
        install permissions
        usesLibraries
        usesStaticLibraries
        usesOptionalLibraries
        usesNativeLibraries
        usesOptionalNativeLibraries
        usesSdkLibraries
        usesLibraryFiles
        dynamic libraries
        static library
        sdk library
        libraries
        queries
        mimeGroups
        runtime permissions""",
    ),
    ("permission", rf" {{6,8}}{_NAME}: prot=[\w|]+(?:, INSTALLED)?"),
    ("permission", rf" {{6,8}}{_NAME}: (?:restricted=true|granted=(?:true|false).*|maxSdkVersion=.*)"),
    ("listed name", rf" {{6,8}}{_NAME}(?: version:\d+)?"),
    ("listed file", r" {6}/\S+"),
    ("user", r" {4}User \d+: \w+=.*"),
    fields(
        "user field",
        6,
        "gids overlay\\spaths installReason firstInstallTime lastDisabledCaller uninstallReason",
    ),
    fields(
        "user field",
        6,
        r"lastDisabledCaller overlay\spaths legacy\soverlay\spaths suspendedBy suspendingPackage",
        ":",
    ),
    heads(
        "user list",
        6,
        "runtime permissions\ndisabledComponents\nenabledComponents\noverlay paths\nlegacy overlay paths",
    ),
    ("listed file", r" {8}/\S+"),
)
_TABLE: Rules = (
    heads(
        "table head",
        2,
        "Full MIME Types\nBase MIME Types\nWild MIME Types\nSchemes\nNon-Data Actions\nMIME Typed Actions",
    ),
    ("action", r" {6}[\w./*:+\-$ ]+:"),
    ("filter", r" {8}[0-9a-f]+ [\w.]+/[\w.$]+(?: \(\d+ filters\))?(?: filter [0-9a-f]+)?"),
    ("filter field", r" {10}(?:Action|Category|Type|StaticType|Scheme|Authority|Path|Group|Ssp): .*"),
    (
        "filter field",
        r" {10}m?(?:Priority|HasPartialTypes|HasStaticPartialTypes|HasDynamicPartialTypes|Order|AutoVerify)=.*",
    ),
)
_PERMISSIONS: Rules = (
    ("permission", rf" {{2}}(?:Permission|SharedUser|AppOp Permission) \[?{_NAME}\]?(?: \([0-9a-f]+\))?:"),
    fields(
        "permission field",
        4,
        "sourcePackage uid gids type prot perm packageSetting flags userId appId",
    ),
    ("permission", rf" {{6,8}}{_NAME}: granted=(?:true|false).*"),
    heads("permission list", 4, "install permissions\nruntime permissions\nPackages\nUser 0"),
    ("package", r" {6}PackageSetting\{[0-9a-f]+ .*\}"),
    (
        "provider",
        rf" {{2}}(?:\[{_NAME}\]|[\w.]+/[\w.$]+):| {{4}}(?:Provider|ContentProvider)\{{.*\}}|      applicationInfo=.*",
    ),
)

classify_package = classifier(
    top=_TOP,
    parts={"packages": _PACKAGES, "table": _TABLE, "permissions": _PERMISSIONS, "section": _TOP},
    opens={"packages": "packages", "table": "table", "permissions": "permissions", "section": "section"},
    shared=_SHARED,
)
