import pytest

from inverseq._core.errors import argument, as_option, spelt

CASES = {
    ("trajectory",): ('trajectory="..."', "--trajectory ..."),
    ("state_from_previous", "choice"): ('state_from_previous="choice"', "--previous choice"),
    ("longest_step", 2.5): ("longest_step=2.5", "--longest-step 2.5"),
    ("named", "my state"): ('named="my state"', "--named 'my state'"),
    ("k", 3): ("k=3", "--intentions 3"),
    ("between", "sex"): ('between="sex"', "--groups sex"),
    ("time", None): ("time=None", "--time none"),
    ("bins", (("x", 10),)): ('bins={"x": 10}', "--bins x=10"),
    ("window", "-0.3,0"): ('window="-0.3,0"', "--window=-0.3,0"),
    ("missing", -1): ("missing=-1", "--missing -1"),
    ("features", "x"): ('features="x"', "--features x"),
    ("continuous", "bin"): ('continuous="bin"', ""),
}


@pytest.mark.parametrize("given", CASES)
def test_an_argument_is_spelt_for_whoever_reads_the_message(given):
    name, *value = given
    value = [dict(each) if isinstance(each, tuple) else each for each in value]
    python, typed = CASES[given]
    assert argument(name, *value) == python
    with spelt(as_option):
        assert argument(name, *value) == typed
    assert argument(name, *value) == python
