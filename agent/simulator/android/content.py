"""`content query` for the one provider that is asked: raw contacts."""

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_CONTACTS = "content://com.android.contacts/raw_contacts"


def content(args: list[str], phone: PhoneState) -> Output:
    """`query --uri URI --projection _id --where deleted=0`; deleted ones are not kept."""
    values = dict(zip(args[1::2], args[2::2], strict=False))
    if args[:1] != ["query"] or "--uri" not in values:
        return failed("usage: adb shell content [subcommand] [options]\n")
    if values["--uri"] != _CONTACTS:
        return failed(f"Error while accessing provider:{values['--uri'].split('/')[2]}\n")
    if phone.contacts is None:
        # Printed by a program that then ends well.
        return Output(
            b"",
            b"Error while accessing provider:com.android.contacts\n"
            b"java.lang.SecurityException: Permission Denial: opening provider requires READ_CONTACTS\n",
        )
    if phone.contacts == 0:
        return said("No result found.\n")
    return said("".join(f"Row: {n} _id={n + 7}\n" for n in range(phone.contacts)))
