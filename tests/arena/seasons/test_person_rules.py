"""``person = true`` in a season file: a desk with a name alone, beside desks that decide by themselves."""

import pytest

from arena.seasons.rulefile import load_rules
from arena.seasons.teams import reflectors_of, spare_teams_of, teams_of
from arena.settings import CONFIG
from trading.domain.errors import ConfigError

DEMO = CONFIG / "seasons" / "demo.toml"
HEAD = """
[season]
name = "hand"
start = 2026-01-01T00:00:00Z
end = 2026-01-01T06:00:00Z
every = "1h"
capital = 10000
[market]
kind = "simulated"
instruments = ["BTC-USDT-PERP"]
"""
PERSON = '[[desk]]\nname = "you"\nperson = true\n'
RULED = '[[desk]]\nname = "buyhold"\nmodel = "house/buyhold"\n'


def rules(tmp_path, text):
    """The rules of a file of that text."""
    path = tmp_path / "season.toml"
    path.write_text(HEAD + text)
    return load_rules(path)


def test_a_persons_desk_has_no_team_and_asks_no_model(tmp_path):
    found = rules(tmp_path, RULED + PERSON)
    assert found.by_hand == ("you",)
    assert [team.name for team in teams_of(found)] == ["buyhold"]
    assert spare_teams_of(found) == reflectors_of(found) == {}
    assert found.every_model() == ("house/buyhold",)


def test_a_persons_desk_remembers_nothing(tmp_path):
    found = rules(tmp_path, RULED + PERSON + '[memory]\nhorizon = "1h"\n')
    assert found.remembering == {"buyhold"}


def test_the_demo_is_as_it_was_and_has_a_person_where_it_is_served():
    plain = load_rules(DEMO)
    assert plain.by_hand == ()
    served = plain.with_person("you")
    assert served.by_hand == ("you",)
    assert [desk.name for desk in served.desks[:-1]] == [desk.name for desk in plain.desks]
    assert served.with_person("me") is served
    assert served.rules_sha256 != plain.rules_sha256


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PERSON, "every desk is a person's"),
        (RULED + PERSON + 'model = "house/momentum"\n', "has a name alone; remove model"),
        (RULED + PERSON + "budget_usd = 5\n", "has a name alone; remove budget_usd"),
        (RULED + PERSON.replace("true", '"yes"'), "person"),
        (RULED + '[[desk]]\nname = "you"\nperson = false\n', "neither of model and models"),
    ],
)
def test_what_does_not_belong_to_a_person_is_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        rules(tmp_path, text)
