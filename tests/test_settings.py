"""Settings: a user's part over the defaults, errors that name file and key, and a digest of what is in force."""

from __future__ import annotations

import tomllib
from dataclasses import fields

import pytest

from airvigil.errors import ConfigError
from airvigil.settings import Settings, default_text, load_settings


def test_a_part_of_a_file_changes_that_and_nothing_else() -> None:
    own, default = load_settings("[infringement]\nprobable_p = 0.99"), load_settings()
    assert own.infringement.probable_p == 0.99
    assert own.infringement.suspected_p == default.infringement.suspected_p
    assert own.tracks == default.tracks


def test_a_whole_number_is_a_number_where_one_is_meant() -> None:
    own = load_settings("[infringement]\nhysteresis_s = 45")
    assert own.infringement.hysteresis_s == 45.0
    assert isinstance(own.infringement.hysteresis_s, float)


def test_the_digest_is_of_values_and_not_of_text() -> None:
    default = load_settings().digest
    assert load_settings("# a comment\n[infringement]\nprobable_p = 0.950").digest == default
    assert load_settings("[infringement]\nprobable_p = 0.951").digest != default
    assert len(default) == 64


def test_any_value_changed_changes_the_digest() -> None:
    tree = tomllib.loads(default_text())
    digests = set()
    count = 0
    for group in ("time", "infringement", "incidents", "tracks", "admission"):
        for name, value in tree[group].items():
            changed = value + 1 if isinstance(value, int) else value * 1.0001
            digests.add(load_settings(f"[{group}]\n{name} = {changed}").digest)
            count += 1
    assert len(digests) == count > 30


def test_every_default_is_used_by_a_field_and_every_field_has_a_default() -> None:
    tree = tomllib.loads(default_text())
    settings = load_settings()
    assert set(tree) == {field.name for field in fields(Settings)}
    for group in (
        "time",
        "permission",
        "airspace",
        "infringement",
        "heights",
        "lookahead",
        "incidents",
        "tracks",
        "admission",
    ):
        assert set(tree[group]) == {field.name for field in fields(getattr(settings, group))}


def test_users_own_names_are_allowed_where_states_dispute_an_area() -> None:
    own = load_settings('[airspace.disputed_as]\n"RUS|UKR" = "UKR"')
    assert own.airspace.disputed_as == {"RUS|UKR": "UKR"}


def test_an_unknown_kind_of_sensor_is_taken_as_a_state_vector() -> None:
    settings = load_settings()
    assert settings.sensor("crystal_ball") == settings.sensors["state_vector"]
    assert settings.sensor("radar") == settings.sensors["radar"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[infringement]\nprobabel_p = 0.99", "infringement.probabel_p"),
        ("[weather]\nwind = 1", "weather"),
        ("[sensors.sonar]\nsigma_m = 1.0", "sensors.sonar"),
        ("[sensors.radar]\nsigma = 1.0", "sensors.radar.sigma"),
        ('[infringement]\nprobable_p = "high"', "infringement.probable_p"),
        ("[infringement]\nprobable_p = true", "infringement.probable_p"),
        ("[infringement]\nsuspected_min_reports = 2.5", "infringement.suspected_min_reports"),
        ("[infringement]\nprobable_p = [0.9]", "infringement.probable_p"),
        ("infringement = 3", "infringement"),
        ("sensors = 3", "sensors"),
        ("[sensors]\nradar = 3", "sensors.radar"),
        ("[airspace]\ndisputed_as = 3", "airspace.disputed_as"),
        ('[airspace.disputed_as]\n"A|B" = 3', "airspace.disputed_as.A|B"),
        ("[permission]\nrequired_for = 'state'", "permission.required_for"),
        ("[permission]\nrequired_for = ['martian']", "permission.required_for"),
        ("[permission]\nrequired_for = [1]", "permission.required_for[0]"),
        ("[permission]\nstate_addresses = [['400000']]", "permission.state_addresses"),
        ("[permission]\nstate_addresses = [['400000', '4000']]", "permission.state_addresses"),
        ("[permission]\nstate_addresses = [['40000x', '40003f']]", "permission.state_addresses"),
        ("[infringement]\nsuspected_p = 0.96", "infringement"),
        ("[infringement]\nclose_p = 0.0", "infringement"),
        ("[infringement]\nprobable_p = nan", "infringement.probable_p"),
        ("[infringement]\npath_step_m = 0.0", "infringement.path_step_m"),
        ("[infringement]\nhysteresis_s = -1.0", "infringement.hysteresis_s"),
        ("[incidents]\njoin_distance_m = inf", "incidents.join_distance_m"),
        ("[tracks]\nprocess_noise_m2_s3 = 0.0", "tracks.process_noise_m2_s3"),
        ("[tracks]\nmemory_s = 10.0", "tracks.memory_s"),
        ("[sensors.adsb]\nwhite_share = 1.5", "sensors.adsb.white_share"),
        ("[sensors.adsb]\nsigma_m = 0.0", "sensors.adsb.sigma_m"),
    ],
)
def test_an_error_names_the_file_and_the_key(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(text, name="mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert key in str(caught.value)


def test_what_is_not_toml_is_told_with_its_file_and_line() -> None:
    with pytest.raises(ConfigError, match=r"mine\.toml: not valid TOML: .*line 2"):
        load_settings("[time]\nallowed_lateness_s 2.0", name="mine.toml")


def test_an_unknown_name_comes_with_a_hint_where_the_names_are() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings("[time]\nlateness = 2.0")
    assert caught.value.hint is not None
    assert "airvigil settings" in caught.value.hint
