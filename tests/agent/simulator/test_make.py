import re

from stdnum import imei, luhn

from agent.simulator.make import make_phone

MANY = 1500


def test_the_same_index_and_seed_are_the_same_phone() -> None:
    one, two, other = make_phone(3, seed=5), make_phone(3, seed=5), make_phone(3, seed=6)
    assert one.identity == two.identity
    assert (one.packages, one.users, one.settings, one.boot_id) == (
        two.packages,
        two.users,
        two.settings,
        two.boot_id,
    )
    assert other.identity.android_id != one.identity.android_id


def test_what_names_a_phone_is_unique_and_well_formed() -> None:
    phones = [make_phone(index, packages=0) for index in range(MANY)]
    assert len({phone.identity.serial for phone in phones}) == MANY
    assert len({number for phone in phones for number in phone.identity.imeis}) == 2 * MANY
    assert len({phone.boot_id for phone in phones}) == MANY
    assert all(imei.is_valid(number) for phone in phones for number in phone.identity.imeis)
    for phone in phones:
        assert re.fullmatch(r"[0-9A-Za-z]{8,16}", phone.identity.serial)
        (card, *_) = phone.sims
        assert len(card.iccid or "") == 20
        assert luhn.is_valid(card.iccid)
        assert re.fullmatch(r"\+861\d{10}", card.number or "")


def test_the_phones_are_varied() -> None:
    phones = [make_phone(index, packages=0) for index in range(MANY)]
    assert {phone.identity.brand for phone in phones} == {
        "Xiaomi",
        "Redmi",
        "HUAWEI",
        "HONOR",
        "OPPO",
        "vivo",
        "samsung",
        "Hisense",
    }
    assert {24, 36} <= {phone.identity.sdk for phone in phones}
    assert {user.id for phone in phones for user in phone.users} == {0, 10, 150, 999}
    assert {user for phone in phones for user in phone.unreadable_users} == {10, 150}
    assert {phone.lock_pin is None for phone in phones} == {True, False}
    assert any(len(phone.accounts) == 0 for phone in phones)


def test_a_phone_is_true_in_itself() -> None:
    for index in range(60):
        phone = make_phone(index)
        identity = phone.identity
        names = [package.name for package in phone.packages]
        assert len(names) == len(set(names))
        assert "com.tencent.mm" in names
        assert identity.fingerprint.startswith(f"{identity.brand}/{identity.device}/")
        assert f":{identity.android_release}/" in identity.fingerprint
        assert 0 < phone.uptime() < 10 * 86_400
        assert 1 <= len(phone.boot_reasons) <= 4
        assert [at for _, at in phone.boot_reasons] == sorted(
            (at for _, at in phone.boot_reasons), reverse=True
        )
        assert abs(phone.boot_reasons[0][1] - (phone.wall() - phone.uptime())) < 2
        assert 0 < phone.storage_free < phone.storage_total
        assert {user for package in phone.packages for user in package.users} <= {
            user.id for user in phone.users
        }


def test_as_many_packages_as_are_asked_for() -> None:
    assert {len(make_phone(index, packages=200).packages) for index in range(8)} == {200}
