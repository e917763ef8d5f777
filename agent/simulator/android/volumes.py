"""`sm list-volumes` and `am broadcast`."""

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_RESETS = ("MASTER_CLEAR", "FACTORY_RESET")


def sm(args: list[str], phone: PhoneState) -> Output:
    """`list-volumes [all]`: id, state and file system's id of each volume."""
    if args[:1] != ["list-volumes"]:
        return failed(
            "usage: sm list-disks [adoptable]\n       sm list-volumes [public|private|emulated|all]\n", 1
        )
    rows = [f"{volume.id} {volume.state} {volume.uuid}" for volume in phone.volumes]
    return said("\n".join([*rows, "private mounted null", "emulated;0 mounted null", ""]))


def am(args: list[str], phone: PhoneState) -> Output:
    """`broadcast … -a ACTION`: says that it is done. A reset is refused to shell, and that is not said."""
    if args[:1] != ["broadcast"]:
        return failed(f"Error: Unknown command: {args[0] if args else ''}\n", 255)
    action = args[args.index("-a") + 1] if "-a" in args[:-1] else ""
    if action.endswith(_RESETS):
        phone.wipe_orders += 1
    return said(f"Broadcasting: Intent {{ act={action} flg=0x400000 }}\nBroadcast completed: result=0\n")
