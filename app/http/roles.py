"""Who may do what, as one table: made from the declarations of the routes, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from app.http.access import Access, declared_access
from app.kernel.tenancy import ROLES
from app.people import ROLE_WORDS

_HEAD = """# 谁可以做什么 / Who may do what

由程序的访问声明生成：`flask --app wsgi users roles > docs/roles.md`；测试保证它与程序一致。
`✓` 可以，空白不可以；系统管理员全部可以。
每个角色只在授予它的服务中心里有效（“全公司”的角色在所有服务中心有效），查到和改到的只有那里的数据。

Generated from the access declarations; a test keeps it true.
A role holds in the centre for which it was given, or in the whole company.
"""
_KINDS = {
    "public": "不用登录 / public",
    "half": "登录的第二步 / second step of signing in",
    "agent": "采集网关，凭签名 / agents, by signature",
}


def roles_page(app: Flask) -> str:
    """The whole of docs/roles.md."""
    roles = [role for role in ROLES if role != "admin"]
    lines = [_HEAD]
    for title, prefix in (("页面 / Pages", False), ("接口 / API", True)):
        lines.append(f"## {title}\n")
        lines.append("| | " + " | ".join(ROLE_WORDS[role] for role in roles) + " |")
        lines.append("| --- |" + " :-: |" * len(roles))
        for method, rule, declared in _routes(app):
            if rule.startswith("/api/") == prefix and declared.kind == "roles":
                marks = ("✓" if role in declared.roles else "" for role in roles)
                lines.append(f"| `{method} {rule}` | " + " | ".join(marks) + " |")
        lines.append("")
    lines.append("## 其他 / Others\n")
    lines.append("| | |\n| --- | --- |")
    for method, rule, declared in _routes(app):
        if declared.kind != "roles":
            lines.append(f"| `{method} {rule}` | {_KINDS[declared.kind]} |")
    return "\n".join(lines) + "\n"


def _routes(app: Flask) -> Iterator[tuple[str, str, Access]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            declared = declared_access(app, rule.endpoint, method)
            if declared is not None:
                yield method, rule.rule.replace("|", "\\|"), declared
