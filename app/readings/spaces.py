"""A user of a phone as people know it: the number, and what it usually is. The number alone tells office staff nothing;
what it is called is the makers' habit and no proof, so the number always stands first.
"""

from __future__ import annotations

OWNER = 0
_FIRST_MADE = 10
_HABITS = {
    OWNER: "机主",
    999: "应用分身",  # Xiaomi, OPPO, vivo
    **dict.fromkeys(range(95, 100), "应用双开"),  # Samsung's dual messenger
    **dict.fromkeys(range(150, 161), "安全文件夹"),  # Samsung's secure folder
}
_ANY = "第二空间、访客或工作资料"
_LONGEST = 40


def space_words(user: object, name: object = None) -> str:
    """`0（机主）`, `999（应用分身）`, `10（第二空间、访客或工作资料）`; with the `name` that the phone gives it.
    What is no number of a user is shown as it is.
    """
    text = str(user)
    if isinstance(user, bool) or not text.isascii() or not text.isdecimal() or len(text) > 9:
        return text
    number = int(text)
    habit = _HABITS.get(number, _ANY if number >= _FIRST_MADE else "")
    called = " ".join(name.split())[:_LONGEST] if isinstance(name, str) else ""
    told = "，".join(part for part in (habit, f"手机上叫“{called}”" if called else "") if part)
    return f"{number}（{told}）" if told else str(number)
