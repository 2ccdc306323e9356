import pytest

from inverseq.cli.wording import as_typed

CASES = {
    'Name it with trajectory="..."': "Name it with --trajectory ...",
    'or state_from_previous="choice".': "or --previous choice.",
    'longest_step=2.5, or next_state="to"': "--longest-step 2.5, or --next-state to",
    'if these are names, add named="state"': "if these are names, add --named state",
    "say so in a column terminated=1 on its last row": None,
    "a line y=3 stays": None,
    "smoothed_policy(counts, mdp, 0.5) or IAVI(smoothing=0.5), say": "--smoothing 0.5, say",
}


@pytest.mark.parametrize("text", CASES)
def test_arguments_of_python_become_options_and_the_rest_stays(text):
    assert as_typed(text) == (CASES[text] or text)
