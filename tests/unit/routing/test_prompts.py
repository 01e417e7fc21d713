from steadyhand.routing.prompts import Passage, Prompt, instructions


def test_passages_stand_below_the_body_under_their_ids() -> None:
    prompt = Prompt("\nBe kind.\n", (Passage("a#1", "One", "First.\n"), Passage("b", "Two", "2")))
    assert instructions(prompt) == "Be kind.\n\n## [a#1] One\n\nFirst.\n\n## [b] Two\n\n2"


def test_a_prompt_without_text_or_passages_is_empty() -> None:
    assert instructions(Prompt(" \n")) == ""
