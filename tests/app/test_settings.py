"""Settings: everything wrong is said at once, and no secret is ever in it."""

from __future__ import annotations

import pytest

from app.settings import SettingsError, load_settings

GOOD = {
    "BUTLER_ENV": "production",
    "PUBLIC_URL": "https://phones.example.cn/",
    "BUTLER_ACCESS_TOKEN": "k3n8sh2LQpz0vX7bWm4TyRc9aEd6UfGi",
    "BUTLER_SECRET_KEY": "Zx8cVb2nMq1wEr5tYu7iOp3aSd9fGh4j",
}


def test_nothing_needs_to_be_set():
    settings = load_settings({})
    assert settings.environment == "development"
    assert settings.database_url.startswith("sqlite:///")
    assert settings.allowed_hosts == ("127.0.0.1", "localhost", "[::1]")


def test_production_takes_its_host_from_the_public_url():
    settings = load_settings(GOOD)
    assert settings.public_url == "https://phones.example.cn"
    assert "phones.example.cn" in settings.allowed_hosts


@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://"])
def test_a_plain_postgresql_url_gets_its_driver(scheme):
    assert load_settings({"DATABASE_URL": f"{scheme}u@h/d"}).database_url == "postgresql+psycopg://u@h/d"


def test_all_errors_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {
                "BUTLER_ENV": "prod",
                "BUTLER_CHEKIN_INTERVAL_S": "60",
                "BUTLER_CHECKIN_INTERVAL_S": "often",
                "PUBLIC_URL": "phones",
                "BUTLER_LOG_LEVEL": "LOUD",
            }
        )
    problems = "\n".join(caught.value.problems)
    for name in ("BUTLER_ENV", "BUTLER_CHECKIN_INTERVAL_S", "PUBLIC_URL", "BUTLER_LOG_LEVEL"):
        assert f"{name}:" in problems
    assert "BUTLER_CHEKIN_INTERVAL_S: unknown setting, did you mean BUTLER_CHECKIN_INTERVAL_S?" in problems


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"BUTLER_ENV"}))
def test_production_needs_its_secrets_and_its_url(name):
    with pytest.raises(SettingsError, match=name):
        load_settings({k: v for k, v in GOOD.items() if k != name})


@pytest.mark.parametrize("weak", ["change-me", "x" * 40, "secretsecretsecretsecretsecretsecret"])
def test_production_refuses_default_secrets_and_does_not_repeat_them(weak):
    with pytest.raises(SettingsError) as caught:
        load_settings({**GOOD, "BUTLER_ACCESS_TOKEN": weak})
    assert "BUTLER_ACCESS_TOKEN" in str(caught.value)
    assert weak not in str(caught.value)


def test_production_refuses_plain_http():
    with pytest.raises(SettingsError, match="https"):
        load_settings({**GOOD, "PUBLIC_URL": "http://phones.example.cn"})


def test_no_secret_is_in_the_settings_text():
    text = repr(load_settings({**GOOD, "DATABASE_URL": "postgresql://u:hunter2@h/d"}))
    assert "hunter2" not in text
    assert GOOD["BUTLER_SECRET_KEY"] not in text
